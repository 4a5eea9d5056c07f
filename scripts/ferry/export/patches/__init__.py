"""What Ferry changes of PyTorch 1.5.1 while it runs, a module each: the reason, and for how long.

| module | what it changes | while |
| --- | --- | --- |
| ``python_sizes`` | a tensor's sizes are numbers, not tensors; so they are for ``F.interpolate`` | a model is traced |
| ``inline_functions`` | ``autograd.Function.apply`` runs ``forward()`` | always; it matters in a trace |
| ``scripted_functions`` | ``torch.jit.script`` leaves a function that a trace can follow as it is | always; likewise |
| ``assignments`` | ``x[index] = value`` gathers, or chooses by the mask | a model is traced |
| ``strided_gathers`` | ``as_strided`` gathers elements | a model is traced |
| ``symbolics_listed_once`` | the exporter lists its symbolic functions once | always |
| ``float64_convolution`` | ``F.conv2d`` of float64 has a depthwise kernel | a reference is computed |

``export_watch`` and ``bisect.pytorch_trace`` wrap the exporter's own functions to see what it does, and change nothing.
All of them replace by way of ``replaced``.
"""

import contextlib
from typing import Any, Iterator

_ABSENT = object()


@contextlib.contextmanager
def replaced(owner: Any, **members: Any) -> Iterator[None]:
    """Within it, ``owner`` has these members, whether or not it, or a class that it inherits from, has some of them."""
    before = {name: vars(owner).get(name, _ABSENT) for name in members}
    for name, member in members.items():
        setattr(owner, name, member)
    try:
        yield
    finally:
        for name, member in before.items():
            if member is _ABSENT:
                delattr(owner, name)
            else:
                setattr(owner, name, member)
