#!/usr/bin/env python3
"""Stage 3: a frozen TensorFlow graph, ``model.pb``, to ``model.tflite``."""

import os
import time

from ferry import heap, stage


def convert(arguments, console) -> int:
    """Convert ``arguments.input`` to ``arguments.output``."""
    started = time.monotonic()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    heap.return_large_blocks()
    from ferry import atomic_file, provenance
    from ferry.errors import UnsupportedModelError
    from ferry.frozen import distinct_outputs, frozen_graph
    from ferry.targets import by_table
    from ferry.tflite import converter, description, flatbuffer, signature, usable

    graph_def = frozen_graph.load(arguments.input)
    allow_flex = arguments.flex == "allow"
    batch_matmul = by_table.takes(arguments.target, "BATCH_MATMUL")
    data = converter.convert(graph_def, allow_flex, batch_matmul)
    names = frozen_graph.input_names(graph_def), frozen_graph.output_names(graph_def)
    lost = {name for name, made in zip(names[1], flatbuffer.interface(data)[1]) if name != made}
    if lost:
        data = converter.convert(distinct_outputs.copied(graph_def, lost), allow_flex, batch_matmul)
    made = flatbuffer.interface(data)
    if made != names:
        raise UnsupportedModelError(
            f"the inputs and outputs {', '.join(names[0] + names[1])} came out as {', '.join(made[0] + made[1])}: "
            "TFLite keeps one name for a tensor, and two of these are one"
        )
    usable.refuse_unusable(data)
    if arguments.target:
        by_table.must_run(data, arguments.target)
    made_with = provenance.provenance()
    of = frozen_graph.onnx_digest(graph_def)
    data = description.with_description(data, of, made_with["lock_sha256"], made_with["versions"])
    operators = flatbuffer.operators(data)
    data = signature.prefix(data) + data
    atomic_file.write_bytes(arguments.output, data)
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
