"""What a ``.tflite`` will run on, by the tables of docs/targets/."""
