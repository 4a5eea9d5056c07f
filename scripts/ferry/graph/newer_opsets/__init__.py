"""Models of newer opsets, written in the terms of the newest one that the pinned ONNX knows."""
