"""Rewrites of the ONNX graph, one a file."""
