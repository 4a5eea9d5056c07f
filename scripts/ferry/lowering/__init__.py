"""TensorFlow operators for ONNX nodes, each tensor in the layout that its readers want."""
