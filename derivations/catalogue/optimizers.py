"""The optimizers. One row is one update rule in one convention (see `derivations.catalogue.algorithm`).

``gtilde`` is the gradient with the weight decay added and, to maximize, its sign turned.
"""

from __future__ import annotations

from dataclasses import replace

from derivations.catalogue.algorithm import WHOLE, Optimizer
from derivations.catalogue.matrix_optimizers import MATRIX_OPTIMIZERS
from derivations.catalogue.outside import with_outside
from derivations.catalogue.textbook_optimizers import TEXTBOOK_OPTIMIZERS

NOT_NEGATIVE, FRACTION = (0, None), (0, 1)
BETAS = {"beta1": FRACTION, "beta2": FRACTION, "eps": NOT_NEGATIVE}
COMMON = {"lr": NOT_NEGATIVE, "lam": NOT_NEGATIVE}
DECAYED = "gtilde = (1 - 2*maximize)*g + lam*theta"
COUPLED = "gtilde = (1 - 2*maximize)*g + (1 - decoupled)*lam*theta"

SGD = Optimizer(
    "SGD",
    torch="torch.optim.SGD",
    hyper={"lr": None, "mu": "0", "tau": "0", "lam": "0", "nesterov": "0", "maximize": "0"},
    equations=f"""
        {DECAYED}
        v = mu*v + (1 - tau*step(t - 1))*gtilde
        u = nesterov*(gtilde + mu*v) + (1 - nesterov)*v
        theta = theta - lr*u
    """,
    arguments="lr={lr}, momentum={mu}, dampening={tau}, weight_decay={lam}, nesterov={nesterov}, "
    "maximize={maximize}",
    convention="plain gradient descent on each mini-batch, without momentum",
    source="Robbins and Monro 1951; Sutskever et al. 2013; torch.optim.SGD",
    states={"v": "momentum_buffer"},
    limits={**COMMON, "mu": NOT_NEGATIVE},
    flags=("nesterov", "maximize"),
    needs={"tau": "mu", "nesterov": "mu"},
    excludes={"nesterov": "tau"},
    counter="",
    conventions={
        "nesterov": "the velocity accumulates the gradients; "
        "the learning rate scales the gradient plus the momentum times the velocity",
        "tau": "the velocity accumulates the gradients, all but the first one damped; "
        "the learning rate scales it",
        "mu": "the velocity accumulates the gradients; the learning rate scales it",
        "maximize": "gradient ascent, without momentum",
        "lam": "gradient descent with weight decay, without momentum",
        WHOLE: "plain gradient descent, without momentum",
    },
)
ADAM = Optimizer(
    "Adam",
    torch="torch.optim.Adam",
    hyper={
        **{"lr": "0.001", "beta1": "0.9", "beta2": "0.999", "eps": "1e-8"},
        **{"lam": "0", "amsgrad": "0", "maximize": "0"},
    },
    equations=f"""
        {DECAYED}
        m = beta1*m + (1 - beta1)*gtilde
        v = beta2*v + (1 - beta2)*gtilde**2
        vmax = max(vmax, v)
        m_hat = m/(1 - beta1**t)
        v_hat = (amsgrad*vmax + (1 - amsgrad)*v)/(1 - beta2**t)
        theta = theta - lr*m_hat/(sqrt(v_hat) + eps)
    """,
    arguments="lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={lam}, amsgrad={amsgrad}, "
    "maximize={maximize}",
    convention="bias-corrected moments; epsilon is added after the root",
    source="Kingma and Ba 2015, Algorithm 1",
    states={"m": "exp_avg", "v": "exp_avg_sq", "vmax": "max_exp_avg_sq"},
    limits={**COMMON, **BETAS},
    flags=("amsgrad", "maximize"),
)
ADAMW = replace(
    ADAM,
    name="AdamW",
    torch="torch.optim.AdamW",
    hyper={**ADAM.hyper, "lam": "0.01"},
    equations=ADAM.equations.replace(" + lam*theta", "").replace("= theta - lr", "= (1 - lr*lam)*theta - lr"),
    conventions={
        "lam": "Adam with the weight decay apart from the gradient, times the learning rate",
    },
    source="Loshchilov and Hutter 2019, Algorithm 2",
)
OPTIMIZERS: tuple[Optimizer, ...] = (
    SGD,
    Optimizer(
        "ASGD",
        torch="torch.optim.ASGD",
        hyper={
            **{"lr": "0.01", "kappa": "0.0001", "alpha": "0.75", "t0": "1000000", "lam": "0"},
            "maximize": "0",
        },
        equations=f"""
            {DECAYED}
            theta = (1 - kappa*xi)*theta - xi*gtilde
            thetabar = thetabar + rho*(theta - thetabar)
            xi = lr/(1 + kappa*lr*t)**alpha
            rho = 1/max(1, t - t0)
        """,
        arguments="lr={lr}, lambd={kappa}, alpha={alpha}, t0={t0}, weight_decay={lam}, maximize={maximize}",
        convention="the parameters are averaged from step t0 on; rate and weight hold for the step after",
        source="Polyak and Juditsky 1992; torch.optim.ASGD",
        states={"xi": "eta", "rho": "mu", "thetabar": "ax"},
        starts={"xi": "lr", "rho": "1"},
        limits=COMMON,
        flags=("maximize",),
        kept=("thetabar",),
    ),
    Optimizer(
        "Adagrad",
        torch="torch.optim.Adagrad",
        hyper={"lr": "0.01", "kappa": "0", "lam": "0", "s0": "0", "eps": "1e-10", "maximize": "0"},
        equations=f"""
            {DECAYED}
            s = s + gtilde**2
            theta = theta - lr/(1 + (t - 1)*kappa)*gtilde/(sqrt(s) + eps)
        """,
        arguments="lr={lr}, lr_decay={kappa}, weight_decay={lam}, initial_accumulator_value={s0}, eps={eps}, "
        "maximize={maximize}",
        convention="squared gradients are summed up; epsilon is added after the root",
        source="Duchi, Hazan and Singer 2011",
        states={"s": "sum"},
        starts={"s": "s0"},
        limits={**COMMON, "kappa": NOT_NEGATIVE, "s0": NOT_NEGATIVE, "eps": NOT_NEGATIVE},
        flags=("maximize",),
    ),
    Optimizer(
        "Adadelta",
        torch="torch.optim.Adadelta",
        hyper={"lr": "1", "rho": "0.9", "eps": "1e-6", "lam": "0", "maximize": "0"},
        equations=f"""
            {DECAYED}
            s = rho*s + (1 - rho)*gtilde**2
            delta = sqrt(u + eps)/sqrt(s + eps)*gtilde
            u = rho*u + (1 - rho)*delta**2
            theta = theta - lr*delta
        """,
        arguments="lr={lr}, rho={rho}, eps={eps}, weight_decay={lam}, maximize={maximize}",
        convention="epsilon is added inside both roots",
        source="Zeiler 2012, Algorithm 1",
        states={"s": "square_avg", "u": "acc_delta"},
        limits={**COMMON, "rho": FRACTION, "eps": NOT_NEGATIVE},
        flags=("maximize",),
    ),
    Optimizer(
        "RMSprop",
        torch="torch.optim.RMSprop",
        hyper={
            **{"lr": "0.01", "alpha": "0.99", "eps": "1e-8", "lam": "0", "mu": "0"},
            **{"centered": "0", "maximize": "0"},
        },
        equations=f"""
            {DECAYED}
            s = alpha*s + (1 - alpha)*gtilde**2
            a = alpha*a + (1 - alpha)*gtilde
            u = sqrt(s - centered*a**2) + eps
            v = mu*v + gtilde/u
            theta = theta - lr*v
        """,
        arguments="lr={lr}, alpha={alpha}, eps={eps}, weight_decay={lam}, momentum={mu}, "
        "centered={centered}, maximize={maximize}",
        convention="epsilon is added after the root",
        conventions={"mu": "epsilon is added after the root; momentum sums up the scaled gradients"},
        source="Hinton 2012, lecture 6e; centred: Graves 2013",
        states={"s": "square_avg", "a": "grad_avg", "v": "momentum_buffer"},
        limits={**COMMON, "alpha": FRACTION, "eps": NOT_NEGATIVE, "mu": NOT_NEGATIVE},
        flags=("centered", "maximize"),
    ),
    ADAM,
    replace(
        ADAM,
        name="AMSGrad",
        hyper={**ADAM.hyper, "amsgrad": "1"},
        conventions={
            "amsgrad": "Adam with the largest second moment so far, "
            "the maximum taken before the bias correction",
        },
        source="Reddi, Kale and Kumar 2018; torch.optim.Adam",
    ),
    ADAMW,
    Optimizer(
        "Adamax",
        torch="torch.optim.Adamax",
        hyper={
            **{"lr": "0.002", "beta1": "0.9", "beta2": "0.999", "eps": "1e-8", "lam": "0"},
            "maximize": "0",
        },
        equations=f"""
            {DECAYED}
            m = beta1*m + (1 - beta1)*gtilde
            u = max(beta2*u, abs(gtilde) + eps)
            theta = theta - lr/(1 - beta1**t)*m/u
        """,
        arguments="lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={lam}, maximize={maximize}",
        convention="epsilon is added to the absolute gradient inside the maximum",
        source="Kingma and Ba 2015, Algorithm 2",
        states={"m": "exp_avg", "u": "exp_inf"},
        limits={**COMMON, **BETAS},
        flags=("maximize",),
    ),
    Optimizer(
        "NAdam",
        torch="torch.optim.NAdam",
        hyper={
            **{"lr": "0.002", "beta1": "0.9", "beta2": "0.999", "eps": "1e-8", "lam": "0", "psi": "0.004"},
            **{"decoupled": "0", "maximize": "0"},
        },
        equations=f"""
            {COUPLED}
            mu = beta1*(1 - 0.5*0.96**(t*psi))
            mu_next = beta1*(1 - 0.5*0.96**((t + 1)*psi))
            pi_mu = pi_mu*mu
            m = beta1*m + (1 - beta1)*gtilde
            v = beta2*v + (1 - beta2)*gtilde**2
            v_hat = v/(1 - beta2**t)
            m_hat = (1 - mu)/(1 - pi_mu)*gtilde + mu_next/(1 - pi_mu*mu_next)*m
            theta = (1 - decoupled*lr*lam)*theta - lr*m_hat/(sqrt(v_hat) + eps)
        """,
        arguments="lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={lam}, momentum_decay={psi}, "
        "decoupled_weight_decay={decoupled}, maximize={maximize}",
        convention="Nesterov momentum; its product so far corrects the bias",
        conventions={
            "psi": "Nesterov momentum with a momentum that grows; its product so far corrects the bias",
        },
        source="Dozat 2016; torch.optim.NAdam",
        states={"m": "exp_avg", "v": "exp_avg_sq", "pi_mu": "mu_product"},
        starts={"pi_mu": "1"},
        limits={**COMMON, **BETAS, "psi": NOT_NEGATIVE},
        flags=("decoupled", "maximize"),
        needs={"decoupled": "lam"},
    ),
    Optimizer(
        "RAdam",
        torch="torch.optim.RAdam",
        hyper={
            **{"lr": "0.001", "beta1": "0.9", "beta2": "0.999", "eps": "1e-8", "lam": "0"},
            **{"decoupled": "0", "maximize": "0"},
        },
        equations=f"""
            {COUPLED}
            m = beta1*m + (1 - beta1)*gtilde
            v = beta2*v + (1 - beta2)*gtilde**2
            m_hat = m/(1 - beta1**t)
            rho_inf = 2/(1 - beta2) - 1
            rho_t = rho_inf - 2*t*beta2**t/(1 - beta2**t)
            late = step(rho_t - 5)
            rho_5 = max(rho_t, 5)
            rho_inf5 = max(rho_inf, 5)
            rect = sqrt((rho_5 - 4)*(rho_5 - 2)*rho_inf5/((rho_inf5 - 4)*(rho_inf5 - 2)*rho_5))
            u = late*rect*sqrt(1 - beta2**t)/(sqrt(v) + eps) + 1 - late
            theta = (1 - decoupled*lr*lam)*theta - lr*m_hat*u
        """,
        arguments="lr={lr}, betas=({beta1}, {beta2}), eps={eps}, weight_decay={lam}, "
        "decoupled_weight_decay={decoupled}, maximize={maximize}",
        convention="the second moment is used from the step on in which rho exceeds 5",
        source="Liu et al. 2020, Algorithm 2; the threshold 5 is torch's",
        states={"m": "exp_avg", "v": "exp_avg_sq"},
        limits={**COMMON, **BETAS},
        flags=("decoupled", "maximize"),
        needs={"decoupled": "lam"},
    ),
    Optimizer(
        "Rprop",
        torch="torch.optim.Rprop",
        hyper={
            **{"lr": "0.01", "eta_minus": "0.5", "eta_plus": "1.2", "Delta_min": "1e-6", "Delta_max": "50"},
            "maximize": "0",
        },
        equations="""
            gtilde = (1 - 2*maximize)*g
            up = step(gtilde*prev)
            down = step(-gtilde*prev)
            Delta = clamp((up*eta_plus + down*eta_minus + (1 - up)*(1 - down))*Delta, Delta_min, Delta_max)
            prev = (1 - down)*gtilde
            theta = theta - Delta*sign(prev)
        """,
        arguments="lr={lr}, etas=({eta_minus}, {eta_plus}), step_sizes=({Delta_min}, {Delta_max}), "
        "maximize={maximize}",
        convention="the step size starts at the learning rate; after a change of sign there is no step",
        source="Riedmiller and Braun 1993; torch.optim.Rprop",
        states={"prev": "prev", "Delta": "step_size"},
        starts={"Delta": "lr"},
        limits={"lr": NOT_NEGATIVE, "eta_minus": FRACTION, "eta_plus": (1, None)},
        flags=("maximize",),
    ),
    *MATRIX_OPTIMIZERS,
    *TEXTBOOK_OPTIMIZERS,
)
OPTIMIZERS = with_outside("optimizers", OPTIMIZERS)
NONE = Optimizer(
    "none",
    torch="",
    hyper={},
    equations="",
    arguments="",
    convention="one forward and backward pass",
    source="",
)
BY_NAME = {row.name: row for row in OPTIMIZERS}
