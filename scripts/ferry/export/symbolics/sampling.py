"""Images that are read at places between the pixels: ``grid_sample`` and the grids of affine transformations."""

from typing import Any, List, Tuple

import torch
from torch.onnx import symbolic_helper

from ferry.export.symbolics import traced

BILINEAR, NEAREST = 0, 1
ZEROS, BORDER = 0, 1


@symbolic_helper.parse_args("v", "v", "i", "i", "b")
def _grid_sampler(g: Any, x: Any, grid: Any, mode: int, padding: int, align_corners: bool) -> Any:
    """Each pixel is a gather of rows of channels: four of them, weighed, or the nearest one."""
    batch, channels, *image = traced.shape(x)
    places = traced.shape(grid)[1:-1]
    if len(image) != 2:
        raise ValueError("only images of two axes are sampled")
    if mode not in (BILINEAR, NEAREST) or padding not in (ZEROS, BORDER):
        raise ValueError("it has the mode bilinear or nearest, and the padding_mode zeros or border")
    rows = traced.reshaped(g, g.op("Transpose", x, perm_i=[0, 2, 3, 1]), [-1, channels])
    first = traced.constant(g, torch.arange(batch).view(-1, 1, 1) * image[0] * image[1])
    at = [_pixels(g, grid, axis, size, padding, align_corners) for axis, size in ((1, image[0]), (0, image[1]))]
    corners = _corners(g, at) if mode == BILINEAR else [((g.op("Round", at[0]), g.op("Round", at[1])), None)]
    summed = None
    for (row, column), weight in corners:
        picked = _picked(g, rows, first, (row, column), image, padding)
        picked = picked if weight is None else g.op("Mul", picked, g.op("Unsqueeze", weight, axes_i=[3]))
        summed = picked if summed is None else g.op("Add", summed, picked)
    made = traced.reshaped(g, summed, [batch, *places, channels])
    return g.op("Transpose", made, perm_i=[0, 3, 1, 2])


def _pixels(g: Any, grid: Any, axis: int, size: int, padding: int, align_corners: bool) -> Any:
    """Where along an axis of ``size`` pixels the grid's numbers from -1 to 1 lie."""
    found = g.op("Gather", grid, traced.constant(g, axis, torch.int64), axis_i=3)
    scale, shift = ((size - 1) / 2, (size - 1) / 2) if align_corners else (size / 2, (size - 1) / 2)
    found = g.op("Add", g.op("Mul", found, _like(g, grid, scale)), _like(g, grid, shift))
    return g.op("Clip", found, _like(g, grid, 0), _like(g, grid, size - 1)) if padding == BORDER else found


def _corners(g: Any, at: List[Any]) -> List[Tuple[Tuple[Any, Any], Any]]:
    """The four pixels around each place, and the weight of each."""
    low = [g.op("Floor", each) for each in at]
    one = _like(g, at[0], 1)
    high = [g.op("Add", each, one) for each in low]
    to_high = [g.op("Sub", each, floor) for each, floor in zip(at, low)]
    to_low = [g.op("Sub", one, each) for each in to_high]
    sides = [((low[axis], to_low[axis]), (high[axis], to_high[axis])) for axis in (0, 1)]
    return [((y, x), g.op("Mul", by_y, by_x)) for y, by_y in sides[0] for x, by_x in sides[1]]


def _picked(g: Any, rows: Any, first: Any, at: Tuple[Any, Any], image: List[int], padding: int) -> Any:
    """The channels of the pixels ``at``, which are whole numbers; beyond the image nothing."""
    ends = [_like(g, each, size - 1) for each, size in zip(at, image)]
    inside = [g.op("Clip", each, _like(g, each, 0), end) for each, end in zip(at, ends)]
    row, column = (_long(g, each) for each in inside)
    index = g.op("Add", g.op("Mul", row, traced.constant(g, image[1], torch.int64)), column)
    found = g.op("Gather", rows, g.op("Add", index, first), axis_i=0)
    if padding == BORDER:
        return found
    same = [g.op("Equal", each, kept) for each, kept in zip(at, inside)]
    kept = g.op("Cast", g.op("And", *same), to_i=symbolic_helper.cast_pytorch_to_onnx["Float"])
    return g.op("Mul", found, g.op("Unsqueeze", kept, axes_i=[3]))


def _long(g: Any, value: Any) -> Any:
    return g.op("Cast", value, to_i=symbolic_helper.cast_pytorch_to_onnx["Long"])


def _like(g: Any, value: Any, number: float) -> Any:
    return traced.constant(g, number, traced.dtype(value))


def _affine_grid_generator(g: Any, theta: Any, size: Any, align_corners: Any) -> Any:
    batch, _, *image = symbolic_helper._get_const(size, "is", "size")
    if len(image) != 2:
        raise ValueError("only grids of two axes are made")
    wide = traced.number(align_corners)
    lines = [torch.linspace(-1, 1, count) * (1.0 if wide or count == 1 else (count - 1) / count) for count in image]
    rows, columns = torch.meshgrid(lines)
    base = torch.stack([columns, rows, torch.ones_like(rows)], -1).view(-1, 3)
    turned = g.op("Transpose", theta, perm_i=[0, 2, 1])
    return traced.reshaped(g, g.op("MatMul", traced.constant(g, base), turned), [batch, *image, 2])


SYMBOLICS = {"grid_sampler": _grid_sampler, "affine_grid_generator": _affine_grid_generator}
