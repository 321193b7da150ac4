"""Names of what is made: adjoints, values after the update, states."""

from __future__ import annotations


def adjoint(loss: str, quantity: str) -> str:
    """The name of the adjoint of a quantity: ``dL/dw``."""
    return f"d{loss}/d{quantity}"


def after(name: str) -> str:
    """The name of a quantity after the update: ``w'``."""
    return f"{name}'"


def state_name(state: str, parameter: str) -> str:
    """The name of a quantity of the optimizer for one parameter: ``m_w``."""
    return f"{state}_{parameter}"


def second(parameter: str) -> str:
    """The name of the second derivative of the loss by a parameter: ``h_w``."""
    return state_name("h", parameter)


def shifted(parameter: str) -> str:
    """The name of a parameter where the gradient is taken: ``wtilde``, shown with a tilde."""
    return f"{parameter}tilde"
