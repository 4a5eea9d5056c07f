"""Run a TFLite model in the runtime of the Python that runs this, which is newer than TensorFlow 2.4's.

A program by itself, in environments that have nothing else of Ferry's. Its argument is the model's path. On its
standard output it writes one JSON line of the inputs and outputs, or of what is wrong; then, for each ``.npz`` of
arrays named ``0``, ``1``, … on its standard input, one of the outputs. Each follows its size in bytes, eight of them.
"""

import io
import json
import os
import struct
import sys

import numpy as np
from ai_edge_litert.interpreter import Interpreter


def main() -> None:
    """Serve until the standard input ends."""
    # What libraries print goes elsewhere: the standard output is the channel.
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        interpreter = Interpreter(model_path=sys.argv[1], num_threads=1)
        interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        _say(channel, {"fault": str(error).strip().splitlines()[0]})
        return
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    _say(channel, {"inputs": [_spec(detail) for detail in inputs], "outputs": [_spec(detail) for detail in outputs]})
    while True:
        head = sys.stdin.buffer.read(8)
        if len(head) < 8:
            return
        with np.load(io.BytesIO(sys.stdin.buffer.read(struct.unpack("<Q", head)[0])), allow_pickle=False) as arrays:
            for position, detail in enumerate(inputs):
                interpreter.set_tensor(detail["index"], arrays[str(position)])
        interpreter.invoke()
        held = io.BytesIO()
        np.savez(held, **{str(place): interpreter.get_tensor(each["index"]) for place, each in enumerate(outputs)})
        channel.write(struct.pack("<Q", held.getbuffer().nbytes) + held.getvalue())
        channel.flush()


def _say(channel, document) -> None:
    channel.write(json.dumps(document).encode() + b"\n")
    channel.flush()


def _spec(detail):
    return {
        "name": detail["name"],
        "shape": [int(size) for size in detail["shape"]],
        "dtype": np.dtype(detail["dtype"]).name,
    }


if __name__ == "__main__":
    main()
