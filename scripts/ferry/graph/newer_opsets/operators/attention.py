"""Attention and RotaryEmbedding, step by step."""

from typing import Optional, Tuple

import numpy as np
from onnx import TensorProto

from ferry.graph.newer_opsets.call import Call
from ferry.graph.newer_opsets.registry import lowers

_RAW, _CAPPED, _MASKED, _PROBABILITIES = range(4)
# In place of minus infinity where a row may be masked as a whole, which would be no number.
_LOWEST = float(np.finfo(np.float32).min)


@lowers("Attention", since=23)
def attention(call: Call) -> None:
    """``softmax(Q K^T scale + mask) V``, over heads; keys and values may be fewer and serve several queries each."""
    graph = call.graph
    if call.has(6):
        raise call.refuse("the lengths of its cache (nonpad_kv_seqlen) are an input")
    heads = (call.get("q_num_heads"), call.get("kv_num_heads"), call.get("kv_num_heads"))
    query, key, value = (_by_head(call, position, count) for position, count in enumerate(heads))
    if call.has(4):
        key = graph.op("Concat", [call.input(4), key], axis=2)
        value = graph.op("Concat", [call.input(5), value], axis=2)
    for position, present in ((1, key), (2, value)):
        if call.wants(position):
            graph.op("Identity", [present], [call.outputs[position]])
    key, value = (_for_each_query(call, each, query) for each in (key, value))
    scores = _scores(call, query, key)
    _show(call, _RAW, scores)
    softcap = call.get("softcap", 0.0)
    if softcap:
        bent = graph.op("Tanh", [graph.op("Div", [scores, graph.scalar(softcap, scores)])])
        scores = graph.op("Mul", [bent, graph.scalar(softcap, scores)])
    _show(call, _CAPPED, scores)
    scores, attended = _masked(call, scores)
    _show(call, _MASKED, scores)
    probabilities = graph.op("Softmax", [scores], axis=3)
    if attended:
        probabilities = graph.op("Mul", [probabilities, attended])
    _show(call, _PROBABILITIES, probabilities)
    _put_out(call, graph.op("MatMul", [probabilities, value]))


def _by_head(call: Call, position: int, heads: Optional[int]) -> str:
    """An input as [batch, heads, length, size]."""
    if call.rank(position) == 4:
        return call.input(position)
    if not heads:
        raise call.refuse("its inputs have 3 dimensions, and it does not say how many heads they hold")
    shape = call.graph.constant([0, 0, heads, -1], np.int64)
    split = call.graph.op("Reshape", [call.input(position), shape])
    return call.graph.op("Transpose", [split], perm=[0, 2, 1, 3])


def _size(call: Call, name: str, axis: int) -> int:
    shape = call.graph.type_of(name).shape
    size = shape[axis] if shape is not None and len(shape) == 4 else None
    if size is None:
        raise call.refuse(f"the shape of {name!r} is not known")
    return size


def _for_each_query(call: Call, x: str, query: str) -> str:
    queries, own = _size(call, query, 1), _size(call, x, 1)
    if queries == own or own == 1:
        return x
    if queries % own:
        raise call.refuse(f"{queries} heads of queries cannot share {own} heads of keys")
    return call.graph.op("Gather", [x, call.graph.constant(np.arange(queries) // (queries // own))], axis=1)


def _scores(call: Call, query: str, key: str) -> str:
    graph = call.graph
    scale = call.get("scale") or 1 / np.sqrt(_size(call, query, 3))
    # Half of the scale on each side, as the operator's text has it: neither product grows too large.
    query, key = (graph.op("Mul", [each, graph.scalar(np.sqrt(scale), each)]) for each in (query, key))
    return graph.op("MatMul", [query, graph.op("Transpose", [key], perm=[0, 1, 3, 2])])


def _show(call: Call, mode: int, x: str) -> None:
    if call.wants(3) and call.get("qk_matmul_output_mode", 0) == mode:
        call.graph.op("Identity", [x], [call.outputs[3]])


def _masked(call: Call, scores: str) -> Tuple[str, str]:
    """The scores with the mask on; and, where a row may be masked as a whole, which rows are not."""
    graph = call.graph
    causal = _by_position(call, scores)
    if not call.has(3):
        return (scores if causal is None else graph.op("Add", [scores, graph.constant(causal)])), ""
    given = graph.value(call.input(3))
    if given is not None:
        return _constant_mask(call, scores, given, causal)
    if graph.dtype(call.input(3)) == np.bool_:
        return _boolean_mask(call, scores, causal)
    mask = _padded_mask(call, scores, "Pad")
    if causal is not None:
        mask = graph.op("Add", [mask, graph.constant(causal)])
    return graph.op("Add", [scores, mask]), ""


def _by_position(call: Call, scores: str) -> Optional[np.ndarray]:
    """What causality and the window leave to be seen, as a mask to add; None if that is all."""
    before, after = call.get("left_window_size", -1), call.get("right_window_size", -1)
    if not call.get("is_causal", 0) and before < 0 and after < 0:
        return None
    queries, keys = _size(call, scores, 2), _size(call, scores, 3)
    past = _size(call, call.input(4), 2) if call.has(4) else 0
    distance = np.arange(queries)[:, np.newaxis] + past - np.arange(keys)
    seen = np.ones((queries, keys), np.bool_)
    if call.get("is_causal", 0):
        seen &= distance >= 0
    if before >= 0:
        seen &= distance <= before
    if after >= 0:
        seen &= -distance <= after
    return np.where(seen, 0, -np.inf).astype(np.float32)


def _constant_mask(call: Call, scores: str, given: np.ndarray, causal: Optional[np.ndarray]) -> Tuple[str, str]:
    mask = np.where(given, 0, -np.inf) if given.dtype == np.bool_ else given
    lacking = _size(call, scores, 3) - mask.shape[-1]
    if lacking > 0:
        mask = np.pad(mask, [(0, 0)] * (mask.ndim - 1) + [(0, lacking)], constant_values=-np.inf)
    if causal is not None:
        mask = mask + causal
    mask = mask.astype(call.graph.dtype(scores) or np.float32)
    seen = (mask > -np.inf).any(axis=-1, keepdims=True)
    if seen.all():
        return call.graph.op("Add", [scores, call.graph.constant(mask)]), ""
    added = call.graph.op("Add", [scores, call.graph.constant(np.where(seen, mask, 0).astype(mask.dtype))])
    return added, call.graph.constant(seen.astype(mask.dtype))


def _boolean_mask(call: Call, scores: str, causal: Optional[np.ndarray]) -> Tuple[str, str]:
    graph = call.graph
    mask = _padded_mask(call, scores, "Concat")
    if causal is not None:
        mask = graph.op("And", [mask, graph.constant(causal == 0)])
    seen = graph.op("Cast", [mask], to=TensorProto.FLOAT)
    attended = graph.op("ReduceMax", [seen], axes=[-1], keepdims=1)
    bias = graph.op("Where", [mask, graph.scalar(0, scores), graph.scalar(_LOWEST, scores)])
    return graph.op("Add", [scores, bias]), attended


def _padded_mask(call: Call, scores: str, how: str) -> str:
    """The mask as wide as the keys are; what it does not reach is not attended to."""
    graph, mask = call.graph, call.input(3)
    shape = graph.type_of(mask).shape
    if not shape or shape[-1] is None:
        raise call.refuse(f"the shape of {mask!r} is not known")
    lacking = _size(call, scores, 3) - shape[-1] if shape[-1] != 1 or call.has(4) else 0
    if lacking <= 0:
        return mask
    if how == "Pad":
        pads = graph.constant([0] * len(shape) + [0] * (len(shape) - 1) + [lacking], np.int64)
        return graph.op("Pad", [mask, pads, graph.scalar(-np.inf, mask)])
    if None in shape:
        raise call.refuse(f"the shape of {mask!r} is not known")
    return graph.op("Concat", [mask, graph.constant(np.zeros((*shape[:-1], lacking), np.bool_))], axis=len(shape) - 1)


def _put_out(call: Call, made: str) -> None:
    graph = call.graph
    if call.rank(0) == 4:
        graph.op("Identity", [made], call.outputs[:1])
        return
    turned = graph.op("Transpose", [made], perm=[0, 2, 1, 3])
    graph.op("Reshape", [turned, graph.constant([0, 0, -1], np.int64)], call.outputs[:1])


@lowers("RotaryEmbedding", since=23)
def rotary_embedding(call: Call) -> None:
    """Pairs of values turned by the angles of their position: halves of a head, or neighbours if ``interleaved``."""
    graph, x = call.graph, call.input(0)
    flat = call.rank() == 3
    if flat:
        x = _by_head(call, 0, call.get("num_heads"))
    size = _size(call, x, 3)
    turned = call.get("rotary_embedding_dim", 0) or size
    rest = ""
    if turned < size:
        x, rest = _cut(call, x, 0, turned), _cut(call, x, turned, size)
    cosine, sine = _angles(call, 1), _angles(call, 2)
    if call.get("interleaved", 0):
        even, odd = (_cut(call, x, start, turned, 2) for start in (0, 1))
    else:
        even, odd = _cut(call, x, 0, turned // 2), _cut(call, x, turned // 2, turned)
    real = graph.op("Sub", [graph.op("Mul", [even, cosine]), graph.op("Mul", [odd, sine])])
    imaginary = graph.op("Add", [graph.op("Mul", [even, sine]), graph.op("Mul", [odd, cosine])])
    if call.get("interleaved", 0):
        pairs = [graph.op("Unsqueeze", [each], axes=[4]) for each in (real, imaginary)]
        together = graph.op("Concat", pairs, axis=4)
        made = graph.op("Reshape", [together, graph.constant([0, 0, 0, turned], np.int64)])
    else:
        made = graph.op("Concat", [real, imaginary], axis=3)
    if rest:
        made = graph.op("Concat", [made, rest], axis=3)
    if flat:
        by_place = graph.op("Transpose", [made], perm=[0, 2, 1, 3])
        graph.op("Reshape", [by_place, graph.constant([0, 0, -1], np.int64)], call.outputs)
    else:
        graph.op("Identity", [made], call.outputs)


def _cut(call: Call, x: str, start: int, end: int, step: int = 1) -> str:
    bounds = [call.graph.constant([number], np.int64) for number in (start, end, 3, step)]
    return call.graph.op("Slice", [x, *bounds])


def _angles(call: Call, position: int) -> str:
    """A cache as [batch, 1, length, half of the turned values]."""
    cache = call.input(position)
    if call.has(3):
        cache = call.graph.op("Gather", [cache, call.input(3)], axis=0)
    return call.graph.op("Unsqueeze", [cache], axes=[1])
