"""The wrong rules that publishers followed, as interventions, and the conventions of some sources.

Each gives the publisher's number. For what is a misprint or fits no rule, `UNEXPLAINED` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

import torch

from derivations.model.example import Example
from derivations.model.interventions import rewritten, rounded
from derivations.run.training import Trace
from derivations.witnesses.author import Pass
from derivations.witnesses.lines import read_lines
from tests.published import networks, optimizers, regression
from tests.published.compare import Change
from tests.published.floats import of_logistic
from tests.published.places import At, Place, Places


def new_weights_in_the_hidden_layer(example: Example) -> Example:
    return rewritten(example, "dL/dh[j] = sum(dL/dz2[k]*W2'[k, j], k)")


def parameter_rounded(example: Example) -> Example:
    return rounded(example, {"x'": 4})


def adjoints_rounded(example: Example) -> Example:
    return rounded(example, {"dL/dz2": 9})


def five_digits(example: Example) -> Example:
    """Every value of a cell with 5 digits, and the adjoints of state and output too."""
    plain = dict.fromkeys(("a", "i", "f", "o", "out", "Delta", "dL/dstate", "dL/dout"), 5)
    gates = {f"dL/dz{gate}": 5 for gate in "aifo"}
    return rounded(example, {**plain, **gates, "state": [5, 4]})


def three_digits(example: Example) -> Example:
    return rounded(example, {"e": [[3, 2, 2]]})


def sums_of_printed_numbers(example: Example) -> Example:
    """-2.6, -1.6 and -2.61 plus 1.57, while the slope is that of the unrounded outputs."""
    as_printed = rounded(example, {"f": [1, 1, 2], "b3'": 2})
    return rewritten(as_printed, "dSSR/db3 = sum(2*(f_exact[i] + b3 - y[i]), i)")


def weights_by_hand(example: Example) -> Example:
    hand = [["0", "0.5", "0.5"], ["0", "1", "0"], ["0", "0.9", "0.1"]]
    return rewritten(example, "A[t, u] = hand[t, u]", hand=[[Fraction(x) for x in row] for row in hand])


def misread_tanh(example: Example) -> Example:
    """Their second candidate, 0.337, carried forward."""
    return rewritten(
        example, "hh[k] = misread*same(k, 2) + tanh(hpre[k])*same(k, 1)", misread=Fraction("0.337")
    )


def misread_exponentials(example: Example) -> Example:
    return rewritten(example, "e1[j] = misread[j]", misread=[Fraction("0.68566"), Fraction("0.67530")])


# --- arithmetic ----------------------------------------------------------------------------------------


def in_float32(name: str) -> Callable[[Trace, At], Any]:
    """A quantity of the first step, worked by torch with float32 throughout."""

    def read(trace: Trace, at: At) -> Fraction:
        example = trace.example
        arrays = {**example.data, **example.start}.items()
        tensors = {
            key: torch.tensor(list(map(float, array.entries)), dtype=torch.float32).reshape(array.shape)
            for key, array in arrays
        }
        run = Pass(tensors, dict(trace.steps[0].layout.sizes), dtype=torch.float32)
        run.run_all(read_lines(example.spec.model.equations))
        found = run.tensors[name]
        assert found.dtype == torch.float32
        return Fraction(float(found[tuple(k - 1 for k in at)]))

    return read


# --- tables ---------------------------------------------------------------------------------------------


def under(places: Places, change: Change, *names: str) -> dict[str, Place]:
    """The places of some names in the changed run."""
    return {name: replace(places[name], change=change) for name in names}


WRONG: dict[str, Mapping[str, Place]] = {
    "click4ai-gru-cell": under(networks.GRU, misread_tanh, "h"),
    "cs231n-svm-softmax": under(regression.SCORES, three_digits, "p"),
    "fiqlab-2-2-1-manual": under(networks.FIQLAB, misread_exponentials, "1+exp(-net_h1)", "1+exp(-net_h2)"),
    "gbasran-adam-by-hand": under(
        optimizers.CASES["gbasran-adam-by-hand"], parameter_rounded, "g3", "theta3"
    ),
    "gomez-lstm-numeric": under(networks.GOMEZ, five_digits, "out1", "Delta1", "dstate0", "da0", "Wi+"),
    "karim-self-attention": under(networks.KARIM, weights_by_hand, "O"),
    "keras-losses-docstrings": {"cos": Place("keras-cosine", in_float32("each"))},
    "mazur-2-2-2-backprop": {
        **under(networks.MAZUR, adjoints_rounded, "dEo2/dout_h1"),
        **under(
            networks.MAZUR,
            new_weights_in_the_hidden_layer,
            *("E_after_1", "E_after_10000_b", "o1_after_10000", "o2_after_10000"),
        ),
    },
    "ng-logistic-propagate": {"db_full": Place("ng-logistic", lambda *_: Fraction(of_logistic("db_full")))},
    "statquest-softplus-network-b3": under(networks.STATQUEST, sums_of_printed_numbers, "yhat2"),
}
UNEXPLAINED = {
    "brownlee-linear-sgd-20": {"B0_step9", "B0_step16"},  # a spreadsheet, one unit off in the last digit
    "click4ai-gru-cell": {"hh[1]"},  # a wrong last digit
    "fiqlab-2-2-1-manual": {"exp(-net_h1)", "exp(-net_h2)"},  # misprints
    "gbasran-ema-bias-correction": {"table.mhat3", "table.mhat4", "table.mhat5"},  # wrong, no rule is known
    "mazur-2-2-2-backprop": {"E_after_10000"},  # a digit too many
    "tf-docs-sgd-momentum": {"as_written_r23"},  # a misprint of the rule: applied literally it gives no 0.18
}
