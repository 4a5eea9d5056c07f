"""A finding in a few lines for a terminal: where, by how much, and what to do."""

from typing import Dict, List, NamedTuple

from ferry.bisect.finding import Finding, Node

# Of a piece that stands for many nodes, how many are named.
MOST_NAMED = 4


class Step(NamedTuple):
    """One of the comparisons: what is held against what, and what to do where they differ."""

    what: str
    remedy: str


STEPS: Dict[str, Step] = {
    "trace": Step(
        "PyTorch's trace against the model",
        "the exporter runs the model once and writes down what it did: replace, in the model's forward(), Python "
        "conditions on tensors' values, and writes into a part of a tensor",
    ),
    "export": Step(
        "the ONNX model against PyTorch",
        "PyTorch 1.5.1 writes this operator into ONNX as something else than it computes: put it in other terms there",
    ),
    "rewriting": Step(
        "the rewritten ONNX graph against the exported one",
        "the passes before TensorFlow sees the graph are in scripts/ferry/graph/passes/: a fault there is Ferry's own",
    ),
    "lowering": Step(
        "the TensorFlow graph against the ONNX model",
        "the operator's lowering is in scripts/ferry/lowering/operators/, or it is onnx-tf's own handler: write the "
        "operator in other terms in the model, or mend the lowering",
    ),
    "conversion": Step(
        "the TFLite model against the ONNX model",
        "TensorFlow's converter, or TFLite's kernel, computes something else: put the operator in other terms in the "
        "model",
    ),
}


def lines(finding: Finding) -> List[str]:
    """The finding as lines of plain text."""
    step = STEPS[finding.step]
    said = [f"{finding.stage} breaks: {step.what}"]
    if finding.node is not None:
        said.append(f"first tensor that differs: {finding.tensor}, made by {_named(finding.node)}")
        if finding.also:
            more = len(finding.also) - MOST_NAMED
            named = ", ".join(_named(node) for node in finding.also[:MOST_NAMED])
            said.append(f"one piece with: {named}{f', and {more} more' if more > 0 else ''}")
        if finding.step in ("lowering", "conversion"):
            said.append(f"in the converted model: {finding.made_by}")
        said.append(
            f"given the same inputs it is off by {finding.error:.1e} of its scale; "
            f"from the model's inputs on: {finding.before:.1e} before it, {finding.after:.1e} after it"
        )
    if finding.others:
        counted = ", ".join(f"{operator} ({count})" for operator, count in finding.others)
        said.append(f"further pieces that differ, each on its own: {counted}")
    said.extend(finding.notes)
    said.append(f"what to do: {step.remedy}")
    return said


def _named(node: Node) -> str:
    where = f"of {node.scope}" if node.scope else "of the model itself"
    line = f" at {node.line}" if node.line else ""
    return f"{node.name or 'a node without a name'} ({node.operator}) {where}{line}"
