#!/usr/bin/env python3
"""Make a smaller model beside ``model.tflite``: ``model.float16.tflite``, ``model.dynamic.tflite``."""

import os
import time
from collections import Counter

from ferry import stage


def quantize(arguments, console) -> int:
    """Write the model quantized as ``arguments.quant`` to ``arguments.output``, and its record beside it."""
    started = time.monotonic()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    from ferry import atomic_file, provenance
    from ferry.frozen import frozen_graph
    from ferry.tflite import description, flatbuffer, signature, usable
    from ferry.tflite.quantize import record, small_weights
    from ferry.tflite.quantize.skip import Skip

    graph_def = frozen_graph.load(arguments.graph)
    float_data = flatbuffer.load(arguments.float)
    made = small_weights.made(graph_def, float_data, arguments.quant, Skip(arguments.skip))
    made_with = provenance.provenance()
    of = frozen_graph.onnx_digest(graph_def)
    data = description.with_description(
        made.data, of, made_with["lock_sha256"], made_with["versions"], quantization=arguments.quant
    )
    data = signature.prefix(data) + data
    usable.refuse_what_does_not_run(data)
    name = os.path.splitext(arguments.output)[0]
    atomic_file.write_bytes(f"{name}.json", record.to_bytes(arguments.quant, data, float_data, made.in_float))
    atomic_file.write_bytes(arguments.output, data)
    for (operator, reason), count in sorted(Counter((each.operator, each.reason) for each in made.in_float).items()):
        console.print(f"quantize: in float stays {count} {operator}: {reason}", markup=False)
    share = f"{made.constants} constants in {arguments.quant}, {len(data) / len(float_data):.0%} of the float model"
    stage.result(console, "quantize", arguments.output, share, started)
    return 0


def main() -> int:
    """Read the arguments and run the stage."""
    parser = stage.parser("quantize", __doc__)
    parser.add_argument("--quant", required=True, choices=["float16", "dynamic"], help="what the weights become")
    parser.add_argument("--graph", required=True, metavar="FILE.pb", help="the frozen graph")
    parser.add_argument("--float", required=True, metavar="FILE.tflite", help="the float model made from it")
    parser.add_argument("--skip", default="", metavar="PATTERNS", help="the operators that stay in float")
    parser.add_argument("--output", required=True, metavar="FILE.tflite", help="the TFLite model to write")
    arguments = parser.parse_args()
    return stage.run(f"quantize_{arguments.quant}", arguments, arguments.output, quantize)


if __name__ == "__main__":
    stage.leave(main())
