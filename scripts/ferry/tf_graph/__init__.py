"""The TensorFlow graph: built from ONNX, moved to NHWC, frozen."""
