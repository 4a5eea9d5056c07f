"""Who makes a tensor, and who reads it."""

from typing import Dict, List, Optional

import onnx

WITH_SUBGRAPHS = ("If", "Loop", "Scan")


class Links:
    """The producers and readers in ``model`` as it is now; a rewritten graph needs new ones."""

    def __init__(self, model: onnx.ModelProto):
        self.producer: Dict[str, onnx.NodeProto] = {}
        self._readers: Dict[str, List[Optional[onnx.NodeProto]]] = {}
        for node in model.graph.node:
            for name in node.output:
                self.producer[name] = node
            for name in node.input:
                self._readers.setdefault(name, []).append(node)
            if node.op_type in WITH_SUBGRAPHS:
                for name in _read_in_subgraphs(node):
                    self._readers.setdefault(name, []).append(None)
        for output in model.graph.output:
            self._readers.setdefault(output.name, []).append(None)

    def readers(self, name: str) -> Optional[List[onnx.NodeProto]]:
        """The nodes that read ``name``, one entry a read.

        ``None`` if it is an output of the model or is read inside a subgraph (If, Loop): it must then stay as it is.
        """
        found = self._readers.get(name, [])
        nodes = [node for node in found if node is not None]
        return nodes if len(nodes) == len(found) else None

    def sole_reader(self, name: str) -> Optional[onnx.NodeProto]:
        """The one node that reads ``name``, and reads it once; ``None`` where there is no such node."""
        nodes = self.readers(name)
        return nodes[0] if nodes is not None and len(nodes) == 1 else None


def _read_in_subgraphs(node: onnx.NodeProto) -> List[str]:
    names: List[str] = []
    for attribute in node.attribute:
        for graph in [attribute.g, *attribute.graphs]:
            names.extend(output.name for output in graph.output)
            for inner in graph.node:
                names.extend([*inner.input, *_read_in_subgraphs(inner)])
    return names
