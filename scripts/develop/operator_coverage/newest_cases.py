"""Write the node tests of the newest onnx to a folder; it is run by an interpreter that has that onnx, not by Ferry's.

    python3.11 -m venv /tmp/newest && /tmp/newest/bin/pip install onnx
    /tmp/newest/bin/python scripts/develop/operator_coverage/newest_cases.py FOLDER

The package builds its tests when it is asked for them. Each gets a folder: ``model.onnx``, ``input_N.pb``,
``output_N.pb``.
"""

import os
import sys
import warnings


def main() -> int:
    """Write every node test whose inputs and outputs are tensors; say how many."""
    from onnx import TensorProto, numpy_helper
    from onnx.backend.test.case.node import collect_testcases

    warnings.simplefilter("ignore")
    count = 0
    for case in collect_testcases(None):
        graph = case.model.graph
        inputs, outputs = case.data_sets[0]
        if not all(info.type.HasField("tensor_type") for info in (*graph.input, *graph.output)):
            continue
        folder = os.path.join(sys.argv[1], case.name)
        os.makedirs(folder, exist_ok=True)
        files = {"model.onnx": case.model}
        for role, arrays in (("input", inputs), ("output", outputs)):
            for position, array in enumerate(arrays):
                tensor = array if isinstance(array, TensorProto) else numpy_helper.from_array(array)
                files[f"{role}_{position}.pb"] = tensor
        for name, message in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(message.SerializeToString())
        count += 1
    print(f"{count} node tests in {sys.argv[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
