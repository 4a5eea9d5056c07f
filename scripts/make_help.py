"""Print the targets of a Makefile with what its ``##`` comments say of them, and the variables a user sets."""

import re
import sys

TARGET = re.compile(r"^([a-z][\w-]*):.*?## (.+)$", re.MULTILINE)
VARIABLES = """\
MODEL=mobilenet_v2    which file of models/, or a path to a .py, TorchScript .pt or .onnx file anywhere; several, with
                      -j, are carried side by side
WEIGHTS=              a checkpoint to load into the model: a state dict, or a file that holds one
INPUT_SHAPE=          the inputs' shapes, as in 1,3,224,224, of a .pt, or of an .onnx where they are not static
ONNX=                 the same as MODEL= for an .onnx file
FUZZ=10000            how many files `fuzz` tries
NAME=                 what `new` writes a model file for
SAMPLES=1000          how many inputs `verify` compares, at most
INPUTS=               an .npz, an .npy, a folder of images, uniform:0:1, normal:0:1; unset, the model's or N(0, 1)
TOLERANCE=            the mean error that `verify` allows, over the outputs' scale; unset, twice PyTorch's own rounding
ROUNDS=48             how often `bench` runs each model in each runtime
TF=2.4                which TensorFlow: 2.4, or 2.2, whose files go to build/tf2.2/MODEL/
GRAPH=ferry           article: the graph as onnx-tf alone makes it, in build/article/, to compare with
LAYOUT=nchw           nhwc: images go into and come out of model.pb and model.tflite with the channels last
DEVICE=cpu            what `verify` runs TensorFlow on; gpu: an NVIDIA GPU, in the image of Dockerfile.gpu
RUNNER=               docker, podman or venv; unset, what this machine has
MEMORY=               what a container may use, as in 8g; unset, three quarters of the machine's
BASE_IMAGE=           build the images on this one: a mirror's copy of the Dockerfile's base
VERBOSE=1             show the libraries' own output, and each command"""


def main() -> None:
    """Print the help for the Makefile named on the command line."""
    with open(sys.argv[1], encoding="utf-8") as makefile:
        text = makefile.read()
    print("Ferry carries a PyTorch model to TensorFlow Lite, and checks it at every stage.\n")
    targets = TARGET.findall(text)
    width = max(len(name) for name, _ in targets)
    for name, meaning in targets:
        print(f"  make {name:<{width}}  {meaning}")
    print("\n" + "\n".join(f"  {line}" for line in VARIABLES.splitlines()))


if __name__ == "__main__":
    main()
