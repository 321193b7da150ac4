"""Recurrent layers, unrolled over time; the state before the first step is 0 unless ``h0`` is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from derivations.catalogue.layer import WHOLE, Layer

BEFORE = "{h0:y[..., t - 1, m]}{not h0:pad(y[..., t - 1, m])}"
OWN = BEFORE.replace("m]", "j]")
CELL = OWN.replace("y[", "c[").replace("h0", "c0")
FIRST = "{h0:y[..., 0, j] = h0[..., j]}"
SIZES = {"k": "{input_size}", "j": "{hidden_size}", "m": "{hidden_size}"}
INPUTS = {"x": "..., t, k", "h0": "..., j"}


def _gate(gate: str, before: str = BEFORE) -> str:
    """What a gate's function is applied to."""
    return (
        f"z{gate}[..., t, j] = sum(W{gate}[j, k]*x[..., t, k], k) + sum(U{gate}[j, m]*{before}, m)"
        f"{{bias: + b{gate}[j]}}"
    )


def _states(names: str) -> Any:
    """torch takes the states before the first step with an axis of layers in front."""

    def called(torch: Any, given: Mapping[str, Any], _: Any) -> tuple[Any, ...]:
        states = [given[name].unsqueeze(0) for name in names.split() if name in given]
        return (given["x"], *(states if len(states) < 2 else [tuple(states)]))

    return called


def _original_gru(torch: Any, given: Mapping[str, Any], _: Any) -> Any:
    """The recurrence over whole vectors, one step after the other."""
    x, h = (
        given["x"],
        given.get("h0", torch.zeros(()).double().expand(given["x"].shape[0], given["Ur"].shape[0])),
    )
    bias = {gate: given.get(f"b{gate}", 0.0) for gate in "rzn"}
    found = []
    for now in x.unbind(-2):
        reset = torch.sigmoid(now @ given["Wr"].T + h @ given["Ur"].T + bias["r"])
        update = torch.sigmoid(now @ given["Wz"].T + h @ given["Uz"].T + bias["z"])
        new = torch.tanh(now @ given["Wn"].T + (reset * h) @ given["Un"].T + bias["n"])
        h = torch.lerp(new, h, update)
        found.append(h)
    return torch.stack(found, -2)


RECURRENT = (
    Layer(
        "RNN",
        arguments={"input_size": WHOLE, "hidden_size": WHOLE, "nonlinearity": "tanh", "bias": True},
        inputs=INPUTS,
        otherwise={"h0": ""},
        equations=f"""
            {FIRST}
            {_gate("a").replace("za[", "a[").replace("Wa", "W").replace("Ua", "U").replace("ba", "b")}
            y[..., t, j] = {{nonlinearity}}(a[..., t, j])
        """,
        sizes=SIZES,
        torch="torch.nn.RNN",
        packed={"weight_ih_l0": "W", "weight_hh_l0": "U", "bias_ih_l0": "b", "bias_hh_l0": "0"},
        fixed={"batch_first": True},
        called=_states("h0"),
        convention="Elman's network: input and last state, each with its weights, and one bias "
        "(torch has two that are added)",
        source="Elman 1990; torch.nn.RNN",
    ),
    Layer(
        "LSTM",
        arguments={"input_size": WHOLE, "hidden_size": WHOLE, "bias": True},
        inputs={**INPUTS, "c0": "..., j"},
        otherwise={"h0": "", "c0": ""},
        equations=f"""
            {FIRST}
            {{c0:c[..., 0, j] = c0[..., j]}}
            {_gate("i")}
            {_gate("f")}
            {_gate("g")}
            {_gate("o")}
            i[..., t, j] = sigmoid(zi[..., t, j])
            f[..., t, j] = sigmoid(zf[..., t, j])
            g[..., t, j] = tanh(zg[..., t, j])
            o[..., t, j] = sigmoid(zo[..., t, j])
            c[..., t, j] = f[..., t, j]*{CELL} + i[..., t, j]*g[..., t, j]
            y[..., t, j] = o[..., t, j]*tanh(c[..., t, j])
        """,
        sizes=SIZES,
        torch="torch.nn.LSTM",
        packed={
            "weight_ih_l0": "Wi Wf Wg Wo",
            "weight_hh_l0": "Ui Uf Ug Uo",
            "bias_ih_l0": "bi bf bg bo",
            "bias_hh_l0": "0",
        },
        fixed={"batch_first": True},
        called=_states("h0 c0"),
        convention="input, forget, cell and output gate, in torch's order, no peepholes, one bias a gate "
        "(torch has two that are added)",
        source="Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000",
    ),
    Layer(
        "GRU",
        arguments={"input_size": WHOLE, "hidden_size": WHOLE, "bias": True},
        inputs=INPUTS,
        otherwise={"h0": ""},
        equations=f"""
            {FIRST}
            {_gate("r")}
            {_gate("z")}
            r[..., t, j] = sigmoid(zr[..., t, j])
            z[..., t, j] = sigmoid(zz[..., t, j])
            q[..., t, j] = sum(Un[j, m]*{BEFORE}, m){{bias: + cn[j]}}
            zn[..., t, j] = sum(Wn[j, k]*x[..., t, k], k){{bias: + bn[j]}} + r[..., t, j]*q[..., t, j]
            n[..., t, j] = tanh(zn[..., t, j])
            y[..., t, j] = (1 - z[..., t, j])*n[..., t, j] + z[..., t, j]*{OWN}
        """,
        sizes=SIZES,
        torch="torch.nn.GRU",
        packed={
            "weight_ih_l0": "Wr Wz Wn",
            "weight_hh_l0": "Ur Uz Un",
            "bias_ih_l0": "br bz bn",
            "bias_hh_l0": "0 0 cn",
        },
        fixed={"batch_first": True},
        called=_states("h0"),
        convention="torch's: the reset gate acts after the product with the matrix",
        source="Cho and others 2014, version 1; torch.nn.GRU",
    ),
    Layer(
        "OriginalGRU",
        arguments={"input_size": WHOLE, "hidden_size": WHOLE, "bias": True},
        inputs=INPUTS,
        otherwise={"h0": ""},
        equations=f"""
            {FIRST}
            {_gate("r")}
            {_gate("z")}
            r[..., t, j] = sigmoid(zr[..., t, j])
            z[..., t, j] = sigmoid(zz[..., t, j])
            {_gate("n", "r[..., t, m]*" + BEFORE)}
            n[..., t, j] = tanh(zn[..., t, j])
            y[..., t, j] = (1 - z[..., t, j])*n[..., t, j] + z[..., t, j]*{OWN}
        """,
        sizes=SIZES,
        reference=_original_gru,
        convention="the original one: the reset gate acts before the product with the matrix; "
        "torch has no such module",
        source="Cho and others 2014",
    ),
)
