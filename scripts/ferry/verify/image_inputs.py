"""A folder of images as inputs, each made into the model's input as the model file says."""

import os
from typing import Any, Callable, Iterator, List

import numpy as np
from PIL import Image, ImageOps

from ferry.errors import VerificationError


def files_in(folder: str) -> List[str]:
    """The image files in ``folder`` and the folders in it, in the order of their paths.

    Which files are images their endings say; Pillow knows them.

    Raises:
        VerificationError: there is none.
    """
    endings = set(Image.registered_extensions())
    found = [
        os.path.join(where, name)
        for where, _, names in os.walk(folder)
        for name in names
        if os.path.splitext(name)[1].lower() in endings and not name.startswith(".")
    ]
    if not found:
        raise VerificationError(f"{folder} holds no images; the endings of images are .jpg, .png and their like")
    return sorted(found)


def samples(files: List[str], preprocessing: Callable[[Image.Image], Any]) -> Iterator[List[np.ndarray]]:
    """What ``preprocessing`` makes of each image in RGB, turned as its EXIF says.

    Raises:
        VerificationError: a file is no image, or ``preprocessing`` fails.
    """
    for file in files:
        try:
            with Image.open(file) as opened:
                image = ImageOps.exif_transpose(opened).convert("RGB")
        except Exception as error:  # Pillow's decoders raise types of their own for what is damaged.
            raise VerificationError(f"{file} is not an image that can be read: {error}") from error
        try:
            made = preprocessing(image)
        except Exception as error:
            raise VerificationError(f"get_preprocessing() of the model file failed on {file}: {error}") from error
        yield [made.numpy() if hasattr(made, "numpy") else np.asarray(made)]
