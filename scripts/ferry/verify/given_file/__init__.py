"""A ``.tflite`` of any converter, judged against the model that it is said to be."""
