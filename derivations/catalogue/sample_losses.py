"""Losses by name: what one sample costs, and penalties. The author reduces them in the same language.

    l[i] = cross_entropy(z[i, k], y[i], k)
    L = mean(l[i], i)

``mean``, ``sum``, a factor 1/2 and weights stand in the author's text, where a reader sees them; the
per-sample losses ``l[i]`` are torch's ``reduction='none'``. A call means the row's formula, written out:
the name of an argument stands for the argument. A row with ``over`` has an index as its last argument,
called ``k`` in the formula, where ``z`` is the entry at ``k`` and ``z[y]`` the entry at the class ``y``.

``torch`` gives the losses of all samples in the names of the arguments: one axis for the samples, and a
second one for the index. Classes count from 1 here and from 0 in torch. ``numbers`` are arguments that
are plain numbers. ``module`` is torch's class for the reduced loss of a prediction and a target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from derivations.catalogue.outside import with_outside


@dataclass(frozen=True)
class SampleLoss:
    """One row: ``name(prediction, target, ..., k)`` and the formula that it stands for."""

    name: str
    title: str
    formula: str
    torch: str
    convention: str
    source: str
    arguments: tuple[str, ...] = ("a", "b")
    over: bool = False
    numbers: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    module: str = ""


F = "torch.nn.functional"

SAMPLE_LOSSES: tuple[SampleLoss, ...] = (
    SampleLoss(
        "squared_error",
        title="squared error",
        formula="(a - b)**2",
        torch=f"{F}.mse_loss(a, b, reduction='none')",
        convention="the square of the residual, without a factor 1/2",
        source="torch.nn.MSELoss",
    ),
    SampleLoss(
        "half_squared_error",
        title="half squared error",
        formula="1/2*(a - b)**2",
        torch="0.5*torch.square(a - b)",
        convention="half the square of the residual, so that the 2 of the derivative cancels",
        source="Rumelhart, Hinton and Williams 1986",
    ),
    SampleLoss(
        "absolute_error",
        title="absolute error",
        formula="abs(a - b)",
        torch=f"{F}.l1_loss(a, b, reduction='none')",
        convention="the absolute residual, with slope 0 at 0",
        source="torch.nn.L1Loss",
    ),
    SampleLoss(
        "huber_loss",
        title="Huber loss",
        formula="huber(a - b, d)",
        torch=f"{F}.huber_loss(a, b, delta=d, reduction='none')",
        convention="half the squared residual up to the limit, straight lines beyond it",
        source="Huber 1964; torch.nn.HuberLoss",
        arguments=("a", "b", "d"),
        numbers=("d",),
        defaults={"d": "1"},
        module="torch.nn.HuberLoss",
    ),
    SampleLoss(
        "smooth_l1_loss",
        title="smooth L1 loss",
        formula="smooth_l1(a - b, c)",
        torch=f"{F}.smooth_l1_loss(a, b, beta=c, reduction='none')",
        convention="the squared residual over twice the limit up to it, straight lines of slope 1 beyond",
        source="Girshick 2015; torch.nn.SmoothL1Loss, where c is beta",
        arguments=("a", "b", "c"),
        numbers=("c",),
        defaults={"c": "1"},
        module="torch.nn.SmoothL1Loss",
    ),
    SampleLoss(
        "log_cosh_loss",
        title="log-cosh loss",
        formula="log_cosh(a - b)",
        torch="torch.log(torch.cosh(a - b))",
        convention="the logarithm of the hyperbolic cosine of the residual",
        source="Saleh and Saleh 2022; torch has none",
    ),
    SampleLoss(
        "binary_cross_entropy",
        title="binary cross-entropy of a probability",
        formula="-(b*log(a) + (1 - b)*log(1 - a))",
        torch=f"{F}.binary_cross_entropy(a, b, reduction='none')",
        convention="natural logarithm, of a probability between 0 and 1",
        source="torch.nn.BCELoss",
    ),
    SampleLoss(
        "binary_cross_entropy_with_logits",
        title="binary cross-entropy of a logit",
        formula="(1 - b)*a + softplus(-a)",
        torch=f"{F}.binary_cross_entropy_with_logits(a, b, reduction='none')",
        convention="the one of the probability that is the logistic function of the logit, in one formula",
        source="torch.nn.BCEWithLogitsLoss",
    ),
    SampleLoss(
        "cross_entropy",
        title="cross-entropy of logits",
        formula="log(sum(exp(z), k)) - z[y]",
        torch=f"{F}.cross_entropy(z, y.long() - 1, reduction='none')",
        convention="minus the natural logarithm of the softmax at the target's class; classes count from 1",
        source="torch.nn.CrossEntropyLoss",
        arguments=("z", "y"),
        over=True,
    ),
    SampleLoss(
        "soft_cross_entropy",
        title="cross-entropy of logits with soft targets",
        formula="-sum(q*log_softmax(z, k), k)",
        torch=f"{F}.cross_entropy(z, q, reduction='none')",
        convention="minus the sum over the classes of target times logarithm of the softmax",
        source="torch.nn.CrossEntropyLoss with class probabilities",
        arguments=("z", "q"),
        over=True,
    ),
    SampleLoss(
        "smoothed_cross_entropy",
        title="cross-entropy of logits with label smoothing",
        formula="-sum(((1 - s)*same(k, y) + s/count(k))*log_softmax(z, k), k)",
        torch=f"{F}.cross_entropy(z, y.long() - 1, label_smoothing=s, reduction='none')",
        convention="the smoothed share of the target is spread over all classes, the rest stays",
        source="Szegedy and others 2016; torch.nn.CrossEntropyLoss, label_smoothing",
        arguments=("z", "y", "s"),
        over=True,
        numbers=("s",),
    ),
    SampleLoss(
        "weighted_cross_entropy",
        title="cross-entropy of logits with class weights",
        formula="c[y]*(log(sum(exp(z), k)) - z[y])",
        torch=f"{F}.cross_entropy(z, y.long() - 1, weight=c[0], reduction='none')",
        convention="times the weight of the target's class; torch's mean divides by the sum of the weights",
        source="torch.nn.CrossEntropyLoss, weight",
        arguments=("z", "y", "c"),
        over=True,
    ),
    SampleLoss(
        "negative_log_likelihood",
        title="negative log-likelihood",
        formula="-p[y]",
        torch=f"{F}.nll_loss(p, y.long() - 1, reduction='none')",
        convention="minus the log-probability at the class of the target; classes count from 1",
        source="torch.nn.NLLLoss",
        arguments=("p", "y"),
        over=True,
    ),
    SampleLoss(
        "hinge_loss",
        title="hinge loss",
        formula="hinge(a*b)",
        torch="torch.clamp_min(1 - a*b, 0)*torch.gt(1 - a*b, 0)",
        convention="1 minus target times prediction where that is positive, else 0; targets are −1 and 1",
        source="Cortes and Vapnik 1995; torch has it for several classes only",
    ),
    SampleLoss(
        "squared_hinge_loss",
        title="squared hinge loss",
        formula="hinge(a*b)**2",
        torch="torch.square(torch.relu(1 - a*b))",
        convention="the square of the hinge loss, with targets −1 and 1",
        source="Tang 2013; torch has it for several classes only",
    ),
    SampleLoss(
        "multiclass_hinge_loss",
        title="multi-class hinge loss",
        formula="mean((1 - same(k, y))*hinge(sum(same(k, y)*z, k) - z), k)",
        torch=f"{F}.multi_margin_loss(z, y.long() - 1, reduction='none')",
        convention="the hinges of all other classes, divided by the number of classes",
        source="Crammer and Singer 2001 as torch.nn.MultiMarginLoss has it",
        arguments=("z", "y"),
        over=True,
    ),
    SampleLoss(
        "kl_divergence",
        title="Kullback-Leibler divergence",
        formula="sum(p*(log(p) - q), k)",
        torch=f"{F}.kl_div(q, p, reduction='none').sum(1)",
        convention="of the target from the prediction, which is given as log-probabilities",
        source="torch.nn.KLDivLoss",
        arguments=("q", "p"),
        over=True,
    ),
    SampleLoss(
        "poisson_nll",
        title="Poisson negative log-likelihood",
        formula="exp(a) - b*a",
        torch=f"{F}.poisson_nll_loss(a, b, reduction='none')",
        convention="of the logarithm of the rate, without the factorial of the target",
        source="torch.nn.PoissonNLLLoss",
        module="torch.nn.PoissonNLLLoss",
    ),
    SampleLoss(
        "poisson_nll_of_rate",
        title="Poisson negative log-likelihood of a rate",
        formula="a - b*log(a)",
        torch=f"{F}.poisson_nll_loss(a, b, log_input=False, eps=0.0, reduction='none')",
        convention="of the rate itself, without the factorial of the target",
        source="torch.nn.PoissonNLLLoss, log_input=False and eps=0",
    ),
    SampleLoss(
        "gaussian_nll",
        title="Gaussian negative log-likelihood",
        formula="1/2*(log(v) + (a - b)**2/v)",
        torch=f"{F}.gaussian_nll_loss(a, b, v, reduction='none')",
        convention="of a predicted mean and variance, without the constant",
        source="torch.nn.GaussianNLLLoss",
        arguments=("a", "b", "v"),
    ),
    SampleLoss(
        "cosine_loss",
        title="cosine loss",
        formula="1 - sum(a*b, k)/(sqrt(sum(a**2, k))*sqrt(sum(b**2, k)))",
        torch=f"1 - {F}.cosine_similarity(a, b, dim=1)",
        convention="1 less the cosine of the angle between two vectors",
        source="torch.nn.CosineEmbeddingLoss with target 1",
        over=True,
    ),
    SampleLoss(
        "focal_loss",
        title="focal loss of a probability",
        formula="-(b*(1 - a)**g*log(a) + (1 - b)*a**g*log(1 - a))",
        torch=f"{F}.binary_cross_entropy(a, b, reduction='none')*(b*torch.pow(1 - a, g) + "
        "(1 - b)*torch.pow(a, g))",
        convention="the binary cross-entropy times a power of the probability of the other class, "
        "for targets 0 and 1",
        source="Lin and others 2017, without the balancing weight; torch has none",
        arguments=("a", "b", "g"),
        numbers=("g",),
        defaults={"g": "2"},
    ),
    SampleLoss(
        "dice_loss",
        title="Dice loss",
        formula="1 - 2*sum(a*b, k)/(sum(a, k) + sum(b, k))",
        torch="1 - 2*(a*b).sum(1)/(a + b).sum(1)",
        convention="1 less twice the overlap over the sum of both, without smoothing",
        source="Milletari, Navab and Ahmadi 2016, with plain sums below; torch has none",
        over=True,
    ),
    SampleLoss(
        "l1_penalty",
        title="L1 penalty",
        formula="sum(abs(w), k)",
        torch="torch.linalg.vector_norm(w, ord=1, dim=1)",
        convention="the sum of the absolute weights, with slope 0 at 0",
        source="Tibshirani 1996",
        arguments=("w",),
        over=True,
    ),
    SampleLoss(
        "l2_penalty",
        title="L2 penalty",
        formula="sum(w**2, k)",
        torch="torch.square(w).sum(1)",
        convention="the sum of the squared weights, without a factor 1/2",
        source="Hoerl and Kennard 1970",
        arguments=("w",),
        over=True,
    ),
    SampleLoss(
        "elastic_net",
        title="elastic-net penalty",
        formula="r*sum(abs(w), k) + 1/2*(1 - r)*sum(w**2, k)",
        torch="r*torch.linalg.vector_norm(w, ord=1, dim=1) + 0.5*(1 - r)*torch.square(w).sum(1)",
        convention="the ratio times the L1 penalty plus half of (1 minus the ratio) times the L2 penalty",
        source="Zou and Hastie 2005, with the factors of scikit-learn",
        arguments=("w", "r"),
        over=True,
        numbers=("r",),
    ),
    SampleLoss(
        "weighted_mean",
        title="weighted mean",
        formula="sum(w*l, k)/sum(w, k)",
        torch="(w*l).sum(1)/w.sum(1)",
        convention="divided by the sum of the weights; torch's losses with class weights reduce like this",
        source="torch.nn.CrossEntropyLoss, weight with reduction='mean'",
        arguments=("l", "w"),
        over=True,
    ),
)
SAMPLE_LOSSES = with_outside("sample_losses", SAMPLE_LOSSES)
SAMPLE_LOSS_BY_NAME = {row.name: row for row in SAMPLE_LOSSES}
