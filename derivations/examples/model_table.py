"""``[model]`` of a spec: layers, equations, the loss."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from derivations.examples.page_table import Name, Positive, Strict


class ModelTable(Strict):
    """``[model]``: the equations, one a line, from the data to the loss."""

    equations: Annotated[str, Field(description="One equation a line; the last one is the loss.")]
    loss: Annotated[Name | None, Field(description="What is trained on, if it is not the last equation.")] = (
        None
    )
    layers: Annotated[
        tuple[str, ...],
        Field(description='Layers that stand before the equations: ["Linear(2, 3)", "Tanh()"].'),
    ] = ()
    input: Annotated[Name, Field(description="What the first layer reads.")] = "x"
    output: Annotated[Name, Field(description="The name of what the last layer computes.")] = "yhat"
    seed: Annotated[
        int, Field(ge=0, description="Draws the start values of the layers that are not given.")
    ] = 1
    ranges: Annotated[
        dict[Name, Positive],
        Field(description="How many values an index takes, where no array says it: { t = 4 }."),
    ] = Field(default_factory=dict)
