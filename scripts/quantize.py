#!/usr/bin/env python3
"""Make a smaller model beside ``model.tflite``: in float16, in int8, or with weights alone in int8 (dynamic)."""

import os
import tempfile
import time
from collections import Counter
from typing import Any, Dict, List, NamedTuple, Optional

from ferry import stage


def quantize(arguments, console) -> int:
    """Write the model quantized as ``arguments.quant`` to ``arguments.output``, and its record beside it."""
    started = time.monotonic()
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    from ferry import atomic_file, provenance
    from ferry.frozen import frozen_graph
    from ferry.targets import by_table
    from ferry.tflite import description, flatbuffer, signature, usable
    from ferry.tflite.quantize import record

    graph_def = frozen_graph.load(arguments.graph)
    float_data = flatbuffer.load(arguments.float)
    make = _integers if arguments.quant == "int8" else _small_weights
    made = make(arguments, graph_def, float_data)
    made_with = provenance.provenance()
    of = frozen_graph.onnx_digest(graph_def)
    data = description.with_description(
        made.data, of, made_with["lock_sha256"], made_with["versions"], quantization=arguments.quant
    )
    data = signature.prefix(data) + data
    usable.refuse_what_does_not_run(data)
    if arguments.target:
        by_table.must_run(data, arguments.target)
    name = os.path.splitext(arguments.output)[0]
    held = record.to_bytes(
        arguments.quant, data, float_data, made.in_float, arguments.io or "float32", made.calibration, made.ranges
    )
    atomic_file.write_bytes(f"{name}.json", held)
    atomic_file.write_bytes(arguments.output, data)
    for line in _in_float(made.in_float):
        console.print(f"quantize: {line}", markup=False)
    detail = f"{made.what} in {arguments.quant}, {len(data) / len(float_data):.0%} of the float model"
    stage.result(console, "quantize", arguments.output, detail, started)
    return 0


class Made(NamedTuple):
    """A quantized model, what stays in float, how much does not, and what its ranges were measured on."""

    data: bytes
    in_float: List[Any]
    what: str
    calibration: Optional[Dict[str, Any]] = None
    ranges: Optional[Dict[str, Dict[str, float]]] = None


def _small_weights(arguments, graph_def, float_data) -> Made:
    from ferry.tflite.quantize import small_weights
    from ferry.tflite.quantize.skip import Skip

    made = small_weights.made(graph_def, float_data, arguments.quant, Skip(arguments.skip))
    return Made(made.data, made.in_float, f"{made.constants} constants")


def _integers(arguments, _graph_def, float_data) -> Made:
    from ferry.calibration import calibration_inputs
    from ferry.runtimes.channels_last import channels_last_samples, with_layout
    from ferry.runtimes.tflite_runtime import TfliteRuntime
    from ferry.tflite.quantize import int8_model
    from ferry.tflite.quantize.skip import Skip

    runtime = with_layout(TfliteRuntime(arguments.float), arguments.layout)
    with tempfile.TemporaryDirectory(prefix="calibration-") as folder:
        found = calibration_inputs.read(arguments.calibration, arguments.model, runtime.inputs, folder)

        def samples():
            given = (found.sample(position) for position in range(found.count))
            return channels_last_samples(given, runtime.inputs) if arguments.layout == "nhwc" else given

        made = int8_model.made(float_data, samples, Skip(arguments.skip), arguments.io == "int8")
    calibration = {**found.description, "count": found.count}
    return Made(made.data, made.in_float, f"{made.operators} operators with weights", calibration, made.ranges)


def _in_float(listed) -> List[str]:
    """One line for each reason: which operators stay in float, and how many of them."""
    counts: Dict[str, Dict[str, int]] = {}
    for each in listed:
        counts.setdefault(each.reason, Counter())[each.operator] += 1
    return [
        f"{', '.join(f'{count} {kind}' for kind, count in sorted(kinds.items()))} in float: {reason}"
        for reason, kinds in sorted(counts.items())
    ]


def main() -> int:
    """Read the arguments and run the stage."""
    parser = stage.parser("quantize", __doc__)
    parser.add_argument("--quant", required=True, choices=["float16", "dynamic", "int8"], help="what it becomes")
    parser.add_argument("--graph", required=True, metavar="FILE.pb", help="the frozen graph")
    parser.add_argument("--float", required=True, metavar="FILE.tflite", help="the float model made from it")
    parser.add_argument("--skip", default="", metavar="PATTERNS", help="the operators that stay in float")
    parser.add_argument("--model", default="", metavar="FILE", help="int8: the model file, which may have inputs")
    parser.add_argument(
        "--layout", choices=["nchw", "nhwc"], default="nchw", help="int8: what the graph was built with"
    )
    parser.add_argument("--calibration", default="", help="int8: an .npz, an .npy or a folder of images")
    parser.add_argument("--io", choices=["", "float32", "int8"], default="", help="int8: what goes in and comes out")
    parser.add_argument("--target", default="", metavar="NAME", help="refuse what does not run there as a whole")
    parser.add_argument("--output", required=True, metavar="FILE.tflite", help="the TFLite model to write")
    arguments = parser.parse_args()
    return stage.run(f"quantize_{arguments.quant}", arguments, arguments.output, quantize)


if __name__ == "__main__":
    stage.leave(main())
