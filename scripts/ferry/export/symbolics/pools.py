"""Adaptive pooling to any size. The exporter has it where each window is of the same size."""

from typing import Any, Callable, List

from torch.onnx import symbolic_helper, symbolic_opset9

from ferry.export.symbolics import traced


def _adaptive(reduction: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """``original`` where its windows are equal, and otherwise one reduction a window, axis by axis."""

    def symbolic(g: Any, x: Any, output_size: Any) -> Any:
        wanted = symbolic_helper._get_const(output_size, "is", "output_size")
        sizes = traced.shape(x)
        axes = range(len(sizes) - len(wanted), len(sizes))
        if len(sizes) == len(wanted) + 2 and all(sizes[axis] % size == 0 for axis, size in zip(axes, wanted)):
            return original(g, x, output_size)
        # A mean of means is the mean here: on one axis the windows of one place of the others are of one size.
        for axis, size in zip(axes, wanted):
            x = _along(g, x, axis, sizes[axis], size, reduction)
        return x if reduction == "ReduceMean" else [x, None]

    return symbolic


def _along(g: Any, x: Any, axis: int, size: int, wanted: int, reduction: str) -> Any:
    if wanted == size:
        return x
    if wanted == 1:
        return g.op(reduction, x, axes_i=[axis], keepdims_i=1)
    windows: List[Any] = []
    for position in range(wanted):
        # As PyTorch's own start_index() and end_index() have it.
        start, stop = position * size // wanted, -(-(position + 1) * size // wanted)
        part = traced.sliced(g, x, axis, start, stop)
        windows.append(part if stop - start == 1 else g.op(reduction, part, axes_i=[axis], keepdims_i=1))
    return g.op("Concat", *windows, axis_i=axis)


SYMBOLICS = {
    f"adaptive_{name}_pool{rank}d": _adaptive(reduction, getattr(symbolic_opset9, f"adaptive_{name}_pool{rank}d"))
    for name, reduction in (("avg", "ReduceMean"), ("max", "ReduceMax"))
    for rank in (1, 2, 3)
}
