"""ONNX's own tests of its operators, converted one by one."""
