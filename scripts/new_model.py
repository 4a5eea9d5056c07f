"""Write a model file to start from, unless there is a file of its name."""

import os
import re
import sys

from runners import variables

TEMPLATE = '''\
"""What this model is. `make verify MODEL={model}` converts it and compares each stage's outputs with PyTorch's."""

import torch
from torch import nn

# Modules beside this file can be imported, and files beside it opened:
# HERE = os.path.dirname(os.path.abspath(__file__))


class Model(nn.Module):
    """Yours instead: import it, or write it here."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.classifier = nn.Linear(8, 10)

    def forward(self, image):
        features = torch.relu(self.conv(image))
        # A tensor, or a tuple, named tuple or dictionary of them; keys and fields become the outputs' names.
        return self.classifier(features.mean([2, 3]))


def get_pytorch_model():
    """The model with its trained weights. Either load them here, or give them by WEIGHTS=path.pth."""
    return Model().eval()


def get_example_input():
    """What forward() is called with: its shapes and dtypes are the converted model's.

    A tensor; or a tuple, for several inputs: input_0, input_1, …; or a dictionary of keyword arguments, whose keys
    become the inputs' names. The checks draw integers from the range that the ones here span: for tokens, let it hold
    the lowest and the highest.
    """
    return {{"image": torch.zeros(1, 3, 64, 64)}}


# Other names for the inputs and outputs, in their order:
# INPUT_NAMES = ["image"]
# OUTPUT_NAMES = ["scores"]
'''


def main() -> int:
    """Write the template to the file, or to ``models/<name>.py``, that the command line or ``NAME`` names."""
    name = sys.argv[1] if len(sys.argv) > 1 else variables.read()["NAME"]
    if not name:
        return _fail("say what to call it: make new NAME=my_model")
    path = name if name.endswith(".py") else os.path.join("models", f"{name}.py")
    if not re.match(r"^[\w.-]+\.py$", os.path.basename(path)) or (path != name and os.path.dirname(name)):
        return _fail(f"a model's name is letters, digits and _.-, and not {name!r}")
    source = TEMPLATE.format(model=name)
    try:
        # "x" never writes over a file that is there.
        with open(path, "x", encoding="utf-8") as file:
            file.write(source)
    except FileExistsError:
        return _fail(f"{path} is there already")
    except OSError as error:
        return _fail(f"cannot write {path}: {error.strerror}")
    print(f"new: {path}; make verify MODEL={name}")
    return 0


def _fail(message: str) -> int:
    print(f"new: error: {message}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
