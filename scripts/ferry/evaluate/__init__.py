"""ONNX graphs in float64, and with each value the bound of what computing it in float32 can be off by.

The values are what the graph means. The bounds are a running error analysis (N. J. Higham, Accuracy and Stability of
Numerical Algorithms, ch. 3): whatever order float32 adds the terms of a sum in, it stays within them.
"""
