#!/usr/bin/env python3
"""Stage 3: a frozen TensorFlow graph, ``model.pb``, to ``model.tflite``."""

import itertools
import os
import time

from ferry import heap, stage


def convert(arguments, console) -> int:
    """Convert ``arguments.input`` to ``arguments.output``."""
    started = time.monotonic()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    heap.return_large_blocks()
    from ferry import atomic_file, provenance
    from ferry.frozen import frozen_graph, made_for
    from ferry.targets import by_table
    from ferry.tflite import description, flatbuffer, signature, usable, with_outputs

    light = frozen_graph.load_light(arguments.input)
    nodes, of = made_for.onnx_nodes(light.graph_def), frozen_graph.onnx_digest(light.graph_def)
    batch_matmul = by_table.takes(arguments.target, "BATCH_MATMUL")
    model = with_outputs.convert_light(light, arguments.flex == "allow", batch_matmul)
    # What takes int8 alone is asked about the quantized file.
    if arguments.target and arguments.target not in by_table.OF_INT8:
        by_table.must_run(model.data, arguments.target)
    made_with = provenance.provenance()
    described = description.append(model.data, of, made_with["lock_sha256"], made_with["versions"])
    operators = flatbuffer.operators(model.data)
    atomic_file.write_pieces(
        arguments.output,
        itertools.chain([signature.prefix(model.data)], model.pieces(), [described]),
        check=lambda path: usable.refuse_unusable(model.data, nodes, path),
    )
    flex = flatbuffer.flex_operators(operators)
    if flex:
        listing = ", ".join(f"{name} ({count})" for name, count in sorted(flex.items()))
        console.print(
            f"tf_to_tflite: TFLite has no builtin kernel for {listing}: the app needs the Flex delegate", markup=False
        )
    detail = f"{sum(operators.values())} operators, {'with' if flex else 'no'} Flex"
    stage.result(console, "tf_to_tflite", arguments.output, detail, started)
    return 0


def main() -> int:
    """Read the arguments and run the stage."""
    parser = stage.parser("tf_to_tflite", __doc__)
    parser.add_argument("--input", required=True, metavar="FILE.pb", help="the frozen graph")
    parser.add_argument("--output", required=True, metavar="FILE.tflite", help="the TFLite model to write")
    parser.add_argument(
        "--flex",
        choices=["allow", "refuse"],
        default="allow",
        help="what to do with a model that needs operators from TensorFlow itself",
    )
    parser.add_argument(
        "--target",
        default="",
        metavar="NAME",
        help="refuse what does not run there as a whole, by the tables of docs/targets/",
    )
    arguments = parser.parse_args()
    return stage.run("tf_to_tflite", arguments, arguments.output, convert)


if __name__ == "__main__":
    stage.leave(main())
