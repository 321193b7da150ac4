"""Starting torch's optimizers without its compiler.

``torch.optim.Optimizer`` imports the whole compiler (`torch._dynamo`) when it is first made and at
every step, only to tell it to leave these functions alone: half as long again as importing torch
itself. Nothing here is compiled, so inside `without_compiler` a stand-in that answers "leave it
alone" takes the compiler's place. The arithmetic of the optimizers is untouched, and at the end
torch is as it was. A process that has imported the compiler already keeps it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch

COMPILER, MARK = "torch._dynamo", "__dynamo_disable"


@contextmanager
def without_compiler() -> Iterator[None]:
    """Inside the block torch's optimizers can be made and stepped without importing the compiler."""
    if COMPILER in sys.modules:
        yield
        return
    sys.modules[COMPILER] = torch._dynamo = _stand_in()
    try:
        yield
    finally:
        del sys.modules[COMPILER], torch._dynamo
        function = getattr(torch.optim.Optimizer.add_param_group, "__wrapped__", None)
        if hasattr(function, MARK):
            delattr(function, MARK)


def _stand_in() -> Any:
    module: Any = ModuleType(COMPILER)
    module.disable = lambda function, *_, **__: function
    module.graph_break = lambda *_, **__: None
    return module
