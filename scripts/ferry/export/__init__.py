"""ONNX out of PyTorch."""
