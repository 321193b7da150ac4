"""Layers. One row is one layer: its equations, convention, torch module and source.

A row serves three readers: ``[model] layers`` makes equations of it, a model's own equations are
recognized by it, and torch's module works both again as a witness. Every function of the catalogue is a
layer too, entry by entry or over the last index: ``Tanh()``, ``LeakyReLU(0.1)``, ``Softmax()``.
"""

from __future__ import annotations

from derivations.catalogue.attention_layers import ATTENTION
from derivations.catalogue.convolution_layers import CONVOLUTIONS
from derivations.catalogue.functions import FUNCTIONS, Function
from derivations.catalogue.layer import WHOLE, Layer
from derivations.catalogue.normalization_layers import NORMALIZATIONS
from derivations.catalogue.outside import with_outside
from derivations.catalogue.recurrent_layers import RECURRENT

LAYERS: tuple[Layer, ...] = (
    Layer(
        "Linear",
        arguments={"in_features": WHOLE, "out_features": WHOLE, "bias": True},
        inputs={"x": "..., k"},
        equations="y[..., j] = sum(W[j, k]*x[..., k], k){bias: + b[j]}",
        sizes={"k": "{in_features}", "j": "{out_features}"},
        symbol="z",
        torch="torch.nn.Linear",
        packed={"weight": "W", "bias": "b"},
        convention="one row of weights an output; weights times inputs, plus bias",
        source="torch.nn.Linear",
    ),
    Layer(
        "Embedding",
        arguments={"num_embeddings": WHOLE, "embedding_dim": WHOLE},
        equations="y[..., k] = E[x[...], k]",
        sizes={"v": "{num_embeddings}", "k": "{embedding_dim}"},
        shapes={"E": "v, k"},
        symbol="e",
        torch="torch.nn.Embedding",
        packed={"weight": "E"},
        called=lambda torch, given, a: (given["x"].long() - 1,),
        convention="the row of the table that a number of the input names, counted from 1 (in torch from 0)",
        source="torch.nn.Embedding",
    ),
    Layer(
        "Flatten",
        arguments={"start_dim": 1},
        inputs={"x": "{start_dim:i, }..."},
        equations="y[{start_dim:i, }f] = sum(same(f, place)*x[{start_dim:i, }...], ...)",
        sizes={"f": "{rest}"},
        symbol="f",
        torch="torch.nn.Flatten",
        convention="all indices but that of the samples (from start_dim = 1) become one, the last fastest",
        source="torch.nn.Flatten",
    ),
    Layer(
        "Squeeze",
        inputs={"x": "..., k"},
        equations="y[...] = x[..., 1]",
        sizes={"k": "1"},
        symbol="s",
        torch="torch.squeeze",
        reference=lambda torch, given, a: given["x"].squeeze(-1),
        convention="the last index, which has one value, is left out",
        source="torch.squeeze",
    ),
    Layer(
        "Dropout",
        arguments={"p": "0.5"},
        inputs={"x": "...", "mask": "..."},
        equations="y[...] = mask[...]*x[...]/(1 - {p})",
        symbol="d",
        reference=lambda torch, given, a: given["x"] * torch.div(given["mask"], 1 - a["p"]),
        convention="inverted dropout with a given mask of zeros and ones; what is kept is divided by 1 - p, "
        "as in torch.nn.Dropout, whose mask is drawn",
        source="Srivastava and others 2014; torch.nn.Dropout",
    ),
    Layer(
        "Residual",
        inner="f",
        inputs={"x": "...", "f": "..."},
        equations="y[...] = x[...] + f[...]",
        symbol="r",
        reference=lambda torch, given, a: torch.add(given["x"], given["f"]),
        convention="the input is added to what the layers between the brackets make of it",
        source="He and others 2016",
    ),
    *CONVOLUTIONS,
    *NORMALIZATIONS,
    *RECURRENT,
    *ATTENTION,
)
LAYERS = with_outside("layers", LAYERS)


def layer_of(row: Function) -> Layer:
    """A function of the catalogue as a layer: entry by entry, or over the last index."""
    options = row.arguments[1:]
    given = "".join(f", {{{name}}}" for name in options)
    inside = f"x[..., k], k{given}" if row.over else f"x[...]{given}"
    kept = row.over and "x" in row.formula.partition("sum(")[0].replace("exp", "")  # or only sums remain
    return Layer(
        row.name,
        arguments={name: row.defaults.get(name, "") for name in options},
        inputs={"x": "..., k" if row.over else "..."},
        equations=f"y[{'..., k' if kept else '...'}] = {row.name}({inside})",
        torch=row.torch,
        function=row.name,
        convention="over the last index" if row.over else "entry by entry",
        source=row.source,
    )


def find_layer(name: str) -> Layer | None:
    """A row by its name, or a function by its name in any spelling: ``LeakyReLU``, ``leaky_relu``."""
    plain = _plain(name)
    rows = {row.name: row for row in LAYERS}
    functions = {_plain(row.name): row for row in FUNCTIONS if row.arguments[:1] == ("x",)}
    known = {_plain(key): row for key, row in rows.items()}
    if plain in known:
        return known[plain]
    return layer_of(functions[plain]) if plain in functions else None


def _plain(name: str) -> str:
    return name.lower().replace("_", "")
