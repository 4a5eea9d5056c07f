#!/usr/bin/env python3
"""Stage 2: ``model.onnx`` to a frozen TensorFlow graph, ``model.pb``, in NHWC unless it is the article's."""

import os
import time

from ferry import heap, stage


def convert(arguments, console) -> int:
    """Convert ``arguments.input`` to ``arguments.output``."""
    started = time.monotonic()
    # The graph must not depend on the machine it is built on, and building it needs no GPU.
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    heap.return_large_blocks()
    from ferry import atomic_file, regular_file
    from ferry.frozen import frozen_graph, light_graph
    from ferry.frozen.light_graph import LightGraph
    from ferry.graph import consistency, onnx_file
    from ferry.lowering import article, convert_onnx
    from ferry.lowering.recurrence import Recurrence

    model = onnx_file.load(arguments.input)
    consistency.check(arguments.input, model)
    if arguments.graph == "article":
        light = LightGraph(article.convert(model), {})
    else:
        recurrence = Recurrence(arguments.recurrent)
        light = convert_onnx.convert_light(model, arguments.layout, True, recurrence)
        for name, reason in recurrence.unrolled.items():
            console.print(f"onnx_to_tf: {name} is unrolled: {reason}", markup=False)
    digest, article_alone = regular_file.sha256(arguments.input), arguments.graph == "article"
    frozen_graph.note_origin(light.graph_def, digest, arguments.recurrent, article_alone)
    atomic_file.write_pieces(arguments.output, light_graph.pieces(light))
    detail = f"{sum(node.op not in ('Const', 'Placeholder') for node in light.graph_def.node)} operators"
    stage.result(console, "onnx_to_tf", arguments.output, detail, started)
    return 0


def main() -> int:
    """Read the arguments and run the stage."""
    parser = stage.parser("onnx_to_tf", __doc__)
    parser.add_argument("--input", required=True, metavar="FILE.onnx", help="the ONNX model")
    parser.add_argument("--output", required=True, metavar="FILE.pb", help="the frozen graph to write")
    parser.add_argument(
        "--graph",
        choices=["ferry", "article"],
        default="ferry",
        help="by Ferry's lowerings, or by onnx-tf alone, as the 2020 article did it",
    )
    parser.add_argument(
        "--layout",
        choices=["nchw", "nhwc"],
        default="nchw",
        help="of float inputs and outputs of four dimensions: as PyTorch has them, or with the channels last",
    )
    parser.add_argument(
        "--recurrent",
        choices=["unrolled", "fused", ""],
        default="",
        help="recurrent layers step by step, or an LSTM as one operator; unset, by how many steps there are",
    )
    arguments = parser.parse_args()
    if (arguments.graph, arguments.layout) == ("article", "nhwc"):
        parser.error("the article's graph has the layout nchw alone")
    return stage.run("onnx_to_tf", arguments, arguments.output, convert)


if __name__ == "__main__":
    stage.leave(main())
