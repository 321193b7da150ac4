"""Whole losses. One row is one convention: its formula, in words, and torch's class for it.

``a`` is the prediction and ``b`` the target; a row is recognized in a model by its formula,
whatever the names. A row without ``torch`` is a convention that torch does not have; the
page then writes the loss out. What one sample costs has rows of its own in
`derivations.catalogue.sample_losses`; those with a class in torch are whole losses too, as mean and sum.
"""

from __future__ import annotations

from collections.abc import Iterator

from derivations.catalogue.loss import Loss
from derivations.catalogue.outside import with_outside
from derivations.catalogue.sample_losses import SAMPLE_LOSSES


def _reduced() -> Iterator[Loss]:
    """The mean and the sum of every loss of one sample that torch has as a class."""
    for row in SAMPLE_LOSSES:
        for reduction, arguments in (("mean", ""), ("sum", 'reduction="sum"')) if row.module else ():
            yield Loss(
                f"{reduction} of the {row.title}",
                equation=f"{reduction}({row.name}(a[i], b[i]), i)",
                convention=row.convention,
                torch=row.module,
                arguments=arguments,
                source=row.source,
            )


LOSSES: tuple[Loss, ...] = (
    Loss(
        "mean squared error",
        equation="mean((a[i] - b[i])**2, i)",
        convention="the sum of the squared residuals divided by {}, without a factor 1/2",
        torch="torch.nn.MSELoss",
        source="torch.nn.MSELoss, reduction='mean'",
    ),
    Loss(
        "sum of squared errors",
        equation="sum((a[i] - b[i])**2, i)",
        convention="the sum of the squared residuals, not divided by {} and without a factor 1/2",
        torch="torch.nn.MSELoss",
        arguments='reduction="sum"',
        source="torch.nn.MSELoss, reduction='sum'",
    ),
    Loss(
        "half mean squared error",
        equation="1/2*mean((a[i] - b[i])**2, i)",
        convention="the sum of the squared residuals divided by 2{}, so that the 2 of the derivative cancels",
        source="Andrew Ng, Machine Learning Specialization",
    ),
    Loss(
        "half sum of squared errors",
        equation="1/2*sum((a[i] - b[i])**2, i)",
        convention="half the sum of the squared residuals, not divided by {}; "
        "the 1/2 cancels the 2 of the derivative",
        source="Bishop 2006, equation 3.12",
    ),
    Loss(
        "squared error of one sample",
        equation="(a - b)**2",
        convention="the squared residual of a single sample, without a factor 1/2",
        torch="torch.nn.MSELoss",
        source="torch.nn.MSELoss",
    ),
    Loss(
        "half squared error of one sample",
        equation="1/2*(a - b)**2",
        convention="half the squared residual of a single sample",
        source="Rumelhart, Hinton and Williams 1986",
    ),
    Loss(
        "mean absolute error",
        equation="mean(abs(a[i] - b[i]), i)",
        convention="the mean of the absolute residuals, divided by {}",
        torch="torch.nn.L1Loss",
        source="torch.nn.L1Loss",
    ),
    Loss(
        "binary cross-entropy",
        equation="-mean(b[i]*log(a[i]) + (1 - b[i])*log(1 - a[i]), i)",
        convention="the mean of the binary cross-entropies of probabilities, natural logarithm",
        torch="torch.nn.BCELoss",
        source="torch.nn.BCELoss",
    ),
    Loss(
        "perceptron criterion",
        equation="sum((step(a[i]) - b[i])*a[i], i)",
        convention="output minus target times the net input, summed; its gradient is that of the perceptron "
        "rule, for the step has the slope 0",
        source="Rosenblatt 1958; Bishop 2006, equation 4.54, with targets 0 and 1",
    ),
    *_reduced(),
)
LOSSES = with_outside("losses", LOSSES)
