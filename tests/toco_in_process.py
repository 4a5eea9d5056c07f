"""A pytest plugin: TensorFlow 2.2 converts in this process, as 2.4 does, instead of starting a program each time."""

from tensorflow.lite.python import convert

convert._toco_from_proto_bin = ""
