"""A smaller ``.tflite`` beside the float one: weights in float16 or int8, or the whole network in int8."""
