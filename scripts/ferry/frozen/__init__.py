"""The frozen TensorFlow graph as a file."""
