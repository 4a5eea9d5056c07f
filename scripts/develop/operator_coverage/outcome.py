"""What may become of a case."""

from typing import NamedTuple

RIGHT, FLEX, REFUSED, WRONG = "right", "flex", "refused", "WRONG"


class Outcome(NamedTuple):
    """What became of a case in TensorFlow and in TFLite; ``reason`` is an error's message, or how an output differs."""

    tensorflow: str
    tflite: str
    reason: str = ""
