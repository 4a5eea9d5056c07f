"""``CALIBRATION=``, or what the model file's ``get_calibration_inputs()`` gives: read, checked and put on the disk."""

import os
from typing import Any, Callable, List, Optional

import numpy as np

from ferry.errors import ModelFileError, VerificationError
from ferry.model import model_file, user_code
from ferry.runtimes import TensorSpec
from ferry.verify import given_inputs, image_inputs, random_inputs
from ferry.verify.input_source import StoredInputs

# More make the ranges no better, and each takes its time.
MOST = 100
# Below this a range is a matter of luck.
LEAST = 8
# Of fewer images parts are taken as well, so that there are as many samples.
LEAST_IMAGES = 4
FUNCTION = "get_calibration_inputs"
HOW = (
    "QUANT=int8 measures the network's ranges on real inputs: give them by CALIBRATION= (an .npz, an .npy or a folder "
    "of images) or by get_calibration_inputs() of the model file"
)


def read(given: str, model: str, specs: List[TensorSpec], folder: str) -> StoredInputs:
    """The samples that the user gave, at most ``MOST``, by way of ``folder``.

    Args:
        given: what ``CALIBRATION=`` says: a path, or nothing.
        model: the model's file, which is imported where it is a Python file.
        specs: the model's inputs, as PyTorch has them.
        folder: where the samples are put, one file an input.

    Raises:
        VerificationError: there are none, or they are none that ranges can be measured on.
        ModelFileError: the model file does not import, or its function fails.
    """
    found = _found(given, _ModelFile(model), specs, folder)
    _refuse_what_says_nothing(found, specs)
    return found


class _ModelFile:
    """The functions of the user's model file; one that is no Python file has none."""

    def __init__(self, path: str):
        self.path = path
        if path.endswith(".py"):
            user_code.import_file(path)

    def function(self, name: str) -> Optional[Callable[..., Any]]:
        found = model_file.optional_function(self.path, name)
        if found is None:
            return None
        return lambda *given: user_code.guard(self.path, f"{name}()", lambda: found(*given))


def _found(given: str, model: _ModelFile, specs: List[TensorSpec], folder: str) -> StoredInputs:
    if given and random_inputs.is_distribution(given):
        raise VerificationError(
            f"CALIBRATION={given} is random numbers, which have other ranges than inputs have. {HOW}"
        )
    if given and os.path.isdir(given):
        return _of_images(given, model, specs, folder)
    if given:
        return given_inputs.from_file(given, specs, MOST, folder)
    own = model.function(FUNCTION)
    if own is None:
        raise VerificationError(f"there are no calibration inputs. {HOW}")
    return given_inputs.of_model_file(lambda _count: own(), model.path, specs, MOST, folder, FUNCTION)


def _of_images(given: str, model: _ModelFile, specs: List[TensorSpec], folder: str) -> StoredInputs:
    preprocessing = model.function("get_preprocessing")
    if preprocessing is None:
        raise ModelFileError(
            f"CALIBRATION={given} is a folder, and {model.path} has no get_preprocessing(): define it to return what "
            "makes an input of a PIL image, such as a torchvision.transforms.Compose"
        )
    files = image_inputs.files_in(given)[:MOST]
    if len(files) < LEAST_IMAGES:
        raise VerificationError(
            f"{given} holds {len(files)} images: ranges need at least {LEAST_IMAGES}, better {MOST}"
        )
    views = -(-MOST // len(files))
    samples = image_inputs.samples(files, preprocessing(), views)
    named = f"{len(files)} images of {given}" + (f", {views} views of each" if views > 1 else "")
    return given_inputs.from_samples(samples, named, given, specs, MOST, folder)


def _refuse_what_says_nothing(found: StoredInputs, specs: List[TensorSpec]) -> None:
    named = f"the calibration inputs ({found.description['text']})"
    if found.count < LEAST:
        raise VerificationError(
            f"{named} are {found.count} samples: ranges need at least {LEAST}, better {MOST}, unlike one another"
        )
    first = found.sample(0)
    if all(_are_the_same(first, found.sample(position)) for position in range(1, found.count)):
        raise VerificationError(f"{named} are {found.count} times the same sample: give samples unlike one another")
    for place, spec in enumerate(specs):
        if spec.dtype.kind == "f" and int(np.prod(spec.shape)) > 1:
            samples = (found.sample(position)[place] for position in range(found.count))
            if all(float(array.min()) == float(array.max()) for array in samples):
                raise VerificationError(f"{named} are constant: each sample of {spec.name} holds one number alone")


def _are_the_same(some: List[np.ndarray], others: List[np.ndarray]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(some, others))
