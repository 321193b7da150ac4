"""Optimizers in the conventions of textbooks, which torch does not have as classes of its own."""

from __future__ import annotations

from derivations.catalogue.algorithm import Optimizer

RATE, FRACTION = (0, None), (0, 1)

TEXTBOOK_OPTIMIZERS = (
    Optimizer(
        "GD",
        torch="torch.optim.SGD",
        hyper={"lr": None},
        equations="theta = theta - lr*g",
        arguments="lr={lr}",
        convention="full-batch gradient descent: every step uses all the data",
        source="Cauchy 1847",
        limits={"lr": RATE},
        counter="",
        full_batch=True,
    ),
    Optimizer(
        "Momentum",
        torch="",
        hyper={"lr": None, "mu": "0.9"},
        equations="""
            v = mu*v + lr*g
            theta = theta - v
        """,
        arguments="",
        convention="the learning rate stands inside the velocity",
        source="Polyak 1964; Goodfellow, Bengio and Courville 2016, Algorithm 8.2",
        limits={"lr": RATE, "mu": FRACTION},
        again="""
            v = lr*g + mu*v
            theta = -v + theta
        """,
    ),
    Optimizer(
        "MomentumAverage",
        torch="",
        hyper={"lr": None, "beta": "0.9"},
        equations="""
            m = beta*m + (1 - beta)*g
            theta = theta - lr*m
        """,
        arguments="",
        convention="momentum as a moving average of the gradients, without bias correction",
        source="Ng, Deep Learning Specialization, gradient descent with momentum",
        limits={"lr": RATE, "beta": FRACTION},
        spelling={"momentum": "beta"},
        again="""
            m = (1 - beta)*g + beta*m
            theta = -m*lr + theta
        """,
    ),
    Optimizer(
        "NesterovLookAhead",
        torch="",
        hyper={"lr": None, "mu": "0.9"},
        at="theta - mu*v",
        equations="""
            v = mu*v + lr*g
            theta = theta - v
        """,
        arguments="",
        convention="the gradient is taken where the velocity alone would lead",
        source="Nesterov 1983; Sutskever et al. 2013, equations 3 and 4",
        limits={"lr": RATE, "mu": FRACTION},
        again="""
            v = lr*g + mu*v
            theta = -v + theta
        """,
    ),
    Optimizer(
        "Lion",
        torch="",
        hyper={"lr": "0.0001", "beta1": "0.9", "beta2": "0.99", "lam": "0"},
        equations="""
            c = beta1*m + (1 - beta1)*g
            m = beta2*m + (1 - beta2)*g
            theta = theta - lr*(sign(c) + lam*theta)
        """,
        arguments="",
        convention="the sign of a moving average",
        conventions={"lam": "the sign of a moving average; the weight decay is apart from the gradient"},
        source="Chen et al. 2023, Algorithm 2",
        limits={"lr": RATE, "beta1": FRACTION, "beta2": FRACTION, "lam": RATE},
        again="""
            c = (1 - beta1)*g + beta1*m
            m = (1 - beta2)*g + beta2*m
            theta = -(lam*theta + sign(c))*lr + theta
        """,
    ),
    Optimizer(
        "SignSGD",
        torch="",
        hyper={"lr": None},
        equations="theta = theta - lr*sign(g)",
        arguments="",
        convention="only the sign of the gradient counts",
        source="Bernstein et al. 2018, Algorithm 1",
        limits={"lr": RATE},
        again="theta = -sign(g)*lr + theta",
    ),
    Optimizer(
        "Newton",
        torch="",
        hyper={},
        equations="theta = theta - g/h",
        arguments="",
        convention="Newton's method in one dimension; h is the second derivative of the loss",
        source="Nocedal and Wright 2006, section 2.2",
        indices=(0, 0),
        again="theta = -(g/h) + theta",
    ),
)
