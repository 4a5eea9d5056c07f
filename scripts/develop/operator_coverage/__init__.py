"""ONNX's own tests of its operators, carried through the pipeline one by one."""
