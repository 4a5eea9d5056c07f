"""The TFLite model: made from a frozen graph, and read back."""
