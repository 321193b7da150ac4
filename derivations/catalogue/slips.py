"""Slips that students make. One row is one slip: a change of equations (see `derivations.catalogue.slip`)."""

from __future__ import annotations

from derivations.catalogue.outside import with_outside
from derivations.catalogue.slip import InTurn, Memory, OtherBatch, Rewrite, Rounded, Slip

SLIPS: tuple[Slip, ...] = (
    Slip(
        "factor-2-forgotten",
        title="the factor 2 of the square forgotten",
        explanation="You forgot the factor 2 that comes from the square: the derivative of u² is 2u.",
        absent="No square is differentiated.",
        changes=(Rewrite("slopes", "a**2", "a**2/2"),),
    ),
    Slip(
        "sum-for-mean",
        title="the sum taken for the mean",
        explanation="You added up and did not divide by the number of terms: the mean is wanted.",
        absent="There is no mean.",
        changes=(
            Rewrite("slopes", "mean(a, i)", "sum(a, i)"),
            Rewrite("slopes", "a/count(i)", "a"),
            Rewrite("values", "mean(a, i)", "sum(a, i)"),
            Rewrite("values", "a/count(i)", "a"),
        ),
    ),
    Slip(
        "mean-for-sum",
        title="the mean taken for the sum",
        explanation="You divided by the number of terms; the loss is a sum and no mean.",
        absent="The loss is no sum.",
        changes=(
            Rewrite("slopes", "sum(a, i)", "mean(a, i)", at="L"),
            Rewrite("values", "sum(a, i)", "mean(a, i)", at="L"),
        ),
    ),
    Slip(
        "residual-turned-round",
        title="the residual turned round",
        explanation="You took target minus prediction; the gradient has prediction minus target.",
        absent="No gradient is written with prediction minus target.",
        changes=(Rewrite("adjoints", "yhat - y", "y - yhat"), Rewrite("adjoints", "y - yhat", "yhat - y")),
    ),
    Slip(
        "ascent-for-descent",
        title="a step along the gradient instead of against it",
        explanation="You went along the gradient, where the loss grows; descent subtracts it.",
        absent="No update subtracts a step.",
        changes=(Rewrite("update", "a - g", "a + g", at="theta'"),),
    ),
    Slip(
        "gradient-without-x",
        title="the factor beside the parameter forgotten in its gradient",
        explanation="You left out what the parameter is multiplied with: the derivative of w x by w is x.",
        absent="No parameter is multiplied with anything.",
        changes=(Rewrite("gradients", "theta*x", "theta"),),
    ),
    Slip(
        "parameter-of-the-step-before",
        title="the parameters of the step before used",
        explanation="You worked with the parameters of the step before; they have been updated since.",
        absent="There is only one step.",
        changes=(Memory("theta", "before", "before", start="theta"),),
    ),
    Slip(
        "parameter-updated-too-early",
        title="a parameter updated before the gradient of the next one was worked",
        explanation="You worked this gradient with parameters that you had updated already; "
        "all gradients of a step belong to the same parameters.",
        absent="No gradient depends on another parameter that is updated before it.",
        changes=(InTurn(),),
    ),
    Slip(
        "new-weight-passed-back",
        title="the new weight used in the backward pass",
        explanation="You passed the gradient back through a weight that you had updated already; "
        "the backward pass reads the old one.",
        absent="No gradient is passed back through a parameter.",
        changes=(Rewrite("adjoints", "theta", "theta'"),),
    ),
    Slip(
        "gradient-not-zeroed",
        title="the gradient of the step before not set to zero",
        explanation="You added the gradient to that of the steps before: it starts at zero in every step.",
        absent="There is only one step.",
        changes=(Memory("g", "g + total", "total", start="0"),),
        source="torch.optim.Optimizer.zero_grad",
    ),
    Slip(
        "wrong-batch",
        title="the samples of another mini-batch used",
        explanation="You worked with the samples of another mini-batch.",
        absent="Every step uses the same samples.",
        changes=(OtherBatch(1), OtherBatch(-1)),
    ),
    Slip(
        "bias-correction-left-out",
        title="the bias correction left out",
        explanation="You left out the bias correction: "
        "each moment is divided by 1 minus a power of its beta before it is used.",
        absent="The optimizer corrects no bias.",
        changes=(Rewrite("update", "a/(1 - b**t)", "a"),),
        source="Kingma and Ba 2015, Algorithm 1",
    ),
    Slip(
        "epsilon-inside-the-root",
        title="epsilon added inside the root",
        explanation="You added epsilon inside the root; here it is added after the root.",
        absent="Nothing is added to a root.",
        changes=(
            Rewrite("update", "sqrt(a) + eps", "sqrt(a + eps)"),
            Rewrite("values", "sqrt(a) + eps", "sqrt(a + eps)"),
        ),
    ),
    Slip(
        "epsilon-after-the-root",
        title="epsilon added after the root",
        explanation="You added epsilon after the root; here it is added inside the root.",
        absent="Nothing is added inside a root.",
        changes=(
            Rewrite("update", "sqrt(a + eps)", "sqrt(a) + eps"),
            Rewrite("values", "sqrt(a + eps)", "sqrt(a) + eps"),
        ),
    ),
    Slip(
        "slope-of-the-activation-forgotten",
        title="the slope of the activation forgotten",
        explanation="You passed the gradient through the activation unchanged; "
        "the chain rule multiplies it by the slope of the activation.",
        absent="There is no activation.",
        changes=(Rewrite("slopes", "f(a)", "a"),),
    ),
    Slip(
        "slope-at-the-wrong-place",
        title="the slope of the activation taken at the wrong place",
        explanation="You put the wrong quantity into the slope of the activation: "
        "net input and output of the activation are mixed up.",
        absent="No gradient is multiplied by the slope of an activation.",
        changes=(
            Rewrite("adjoints", "h", "z", given="h = f(z)"),
            Rewrite("adjoints", "h", "f(h)", given="h = f(z)"),
            Rewrite("adjoints", "z", "h", given="h = f(z)"),
        ),
    ),
    Slip(
        "softmax-as-sigmoid",
        title="the softmax treated as a sigmoid",
        explanation="You treated the softmax as a sigmoid of each entry; "
        "each probability depends on all net inputs.",
        absent="There is no softmax.",
        changes=(
            Rewrite("slopes", "exp(a)/s", "sigmoid(a)"),
            Rewrite("values", "exp(a)/s", "sigmoid(a)"),
        ),
    ),
    Slip(
        "weight-transposed",
        title="the weight matrix transposed",
        explanation="You used the transposed weight matrix: rows and columns are mixed up.",
        absent="There is no square weight matrix.",
        changes=(
            Rewrite("values", "W[j, k]", "W[k, j]"),
            Rewrite("adjoints", "W[j, k]", "W[k, j]"),
        ),
    ),
    Slip(
        "off-by-one-step",
        title="the number of the step off by one",
        explanation="You put in the number of the step before or after; the first step is step 1.",
        absent="The update does not count the steps.",
        changes=(Rewrite("update", "t", "t + 1"), Rewrite("update", "t", "t - 1")),
    ),
    Slip(
        "rounded-too-early",
        title="a number rounded too early",
        explanation="You rounded a number on the way and went on with it rounded; round at the end only.",
        absent="Nothing is worked on the way.",
        changes=(Rounded(2), Rounded(3)),
    ),
    Slip(
        "learning-rate-forgotten",
        title="the learning rate forgotten",
        explanation="You took the whole gradient as the step; the learning rate scales it.",
        absent="No update multiplies by a learning rate.",
        changes=(Rewrite("update", "lr*g", "g"),),
    ),
    Slip(
        "old-state-used",
        title="the old state of the optimizer used",
        explanation="You used the state of the optimizer from before this step; it is updated first.",
        absent="The optimizer keeps no state.",
        changes=(Rewrite("update", "m'", "m"),),
    ),
)
SLIPS = with_outside("slips", SLIPS)
BY_NAME = {row.name: row for row in SLIPS}
