"""Reading an ONNX model and rewriting it before TensorFlow sees it."""
