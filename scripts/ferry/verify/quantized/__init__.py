"""The proof of a quantized ``.tflite``: does each operator do what its steps say, and are the steps good enough?

Fidelity holds each operator against the float model's own, given the quantized file's inputs; cost compares the outputs
with those of a simulated scheme; decisions count how often the quantized model decides otherwise than the float one.
"""
