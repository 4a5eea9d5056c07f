"""Find runs of nodes in which each is read by the next one alone."""

from typing import Iterator, List, Sequence

from ferry.graph.graph import Graph
from ferry.graph.node import Node


def runs(graph: Graph, operators: Sequence[Sequence[str]]) -> Iterator[List[Node]]:
    """The runs of nodes whose operators are, one by one, among ``operators``; each may be replaced when it is met.

    A node is linked to the next by its first output and the next one's first input, which nothing else reads.
    """
    for node in graph:
        run = [node]
        while run[-1].is_a(*operators[len(run) - 1]):
            if len(run) == len(operators):
                yield run
                break
            use = run[-1].output.sole_use
            if use is None or use.position != 0:
                break
            run.append(use.node)
