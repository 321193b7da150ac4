"""Optimizers that treat a matrix as a whole: their equations name the row ``r`` and the column ``c``."""

from __future__ import annotations

from derivations.catalogue.algorithm import Optimizer

NOT_NEGATIVE = (0, None)
RATES = """
            omega = t**beta2_decay
            rho = min(lr, 1/sqrt(t))
"""
NEWTON_SCHULZ = """
            A{new}[r, s] = sum(X{old}[r, c]*X{old}[s, c], c)
            B{new}[r, s] = ns_b*A{new}[r, s] + ns_c*sum(A{new}[r, q]*A{new}[q, s], q)
            X{new}[r, c] = ns_a*X{old}[r, c] + sum(B{new}[r, s]*X{old}[s, c], s)
"""

MATRIX_OPTIMIZERS = (
    Optimizer(
        "Adafactor",
        torch="torch.optim.Adafactor",
        hyper={
            **{"lr": "0.01", "beta2_decay": "-0.8", "eps2": "0.001", "d": "1", "lam": "0", "maximize": "0"},
            "eps1": "2.220446049250313080847263336181640625e-16",
        },
        equations=f"""
            {RATES}
            alpha2 = mean(theta[r]**2, r)
            alpha = rho*max(eps2, sqrt(alpha2))
            gtilde[r] = (1 - 2*maximize)*g[r]
            V[r] = (1 - omega)*V[r] + omega*gtilde[r]**2
            U[r] = gtilde[r]/sqrt(max(V[r], eps1**2))
            u2 = mean(U[r]**2, r)
            theta[r] = (1 - lr*lam)*theta[r] - alpha/max(1, sqrt(u2)/d)*U[r]
        """,
        matrix=f"""
            {RATES}
            alpha2 = mean(theta[r, c]**2, r, c)
            alpha = rho*max(eps2, sqrt(alpha2))
            gtilde[r, c] = (1 - 2*maximize)*g[r, c]
            R[r] = (1 - omega)*R[r] + omega*mean(gtilde[r, c]**2, c)
            C[c] = (1 - omega)*C[c] + omega*mean(gtilde[r, c]**2, r)
            Rbar = mean(R[r], r)
            V[r, c] = R[r]*C[c]/max(Rbar, eps1)
            U[r, c] = gtilde[r, c]/sqrt(max(V[r, c], eps1**2))
            u2 = mean(U[r, c]**2, r, c)
            theta[r, c] = (1 - lr*lam)*theta[r, c] - alpha/max(1, sqrt(u2)/d)*U[r, c]
        """,
        arguments="lr={lr}, beta2_decay={beta2_decay}, eps=({eps1}, {eps2}), d={d}, weight_decay={lam}, "
        "maximize={maximize}",
        convention="a matrix keeps the mean squares of its rows and columns, a vector those of its entries; "
        "the step is relative to the size of the parameter",
        source="Shazeer and Stern 2018, Algorithms 4 and 5; torch.optim.Adafactor",
        states={"R": "row_var", "C": "col_var", "V": "variance"},
        limits={"lr": NOT_NEGATIVE, "eps1": NOT_NEGATIVE, "eps2": NOT_NEGATIVE, "d": (1, None)},
        flags=("maximize",),
        indices=(0, 2),
    ),
    Optimizer(
        "Muon",
        torch="torch.optim.Muon",
        hyper={
            **{"lr": "0.001", "lam": "0.1", "mu": "0.95", "nesterov": "1", "eps": "1e-7"},
            **{"ns_a": "3.4445", "ns_b": "-4.775", "ns_c": "2.0315"},
        },
        equations="""
            v[r, c] = mu*v[r, c] + (1 - mu)*g[r, c]
            u[r, c] = nesterov*((1 - mu)*g[r, c] + mu*v[r, c]) + (1 - nesterov)*v[r, c]
            u2 = sum(u[r, c]**2, r, c)
            X0[r, c] = u[r, c]/max(sqrt(u2), eps)
        """
        + "".join(NEWTON_SCHULZ.format(old=k, new=k + 1) for k in range(5))
        + """
            theta[r, c] = (1 - lr*lam)*theta[r, c] - lr*sqrt(max(1, count(r)/count(c)))*X5[r, c]
        """,
        arguments="lr={lr}, weight_decay={lam}, momentum={mu}, nesterov={nesterov}, "
        "ns_coefficients=({ns_a}, {ns_b}, {ns_c}), eps={eps}",
        convention="five steps of Newton and Schulz make the averaged gradient nearly orthogonal; "
        "the learning rate is scaled by the root of rows over columns where there are more rows",
        source="Jordan et al. 2024; torch.optim.Muon, adjust_lr_fn='original'",
        states={"v": "momentum_buffer"},
        limits={"lr": NOT_NEGATIVE, "lam": NOT_NEGATIVE, "mu": NOT_NEGATIVE, "eps": NOT_NEGATIVE},
        flags=("nesterov",),
        indices=(2, 2),
        counter="",
        casts="bfloat16",
    ),
)
