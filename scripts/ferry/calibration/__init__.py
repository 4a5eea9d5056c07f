"""The inputs that a quantized model's ranges are measured on: the user's real ones, apart from those that judge it."""
