"""A folder of images as inputs, each made into the model's input as the model file says."""

import itertools
import os
from typing import Any, Callable, Iterator, List

import numpy as np
from PIL import Image, ImageOps

from ferry.errors import VerificationError

# That of the parts of images.
SEED = 20200923


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


def samples(
    files: List[str], preprocessing: Callable[[Image.Image], Any], views: int = 1
) -> Iterator[List[np.ndarray]]:
    """What ``preprocessing`` makes of each image in RGB, turned as its EXIF says: all of them, then of parts of them.

    ``views`` is how many are made of each image: the whole, and squares drawn from a seed, half of them mirrored.

    Raises:
        VerificationError: a file is no image, or ``preprocessing`` fails.
    """
    generator = np.random.Generator(np.random.PCG64(SEED))
    for view, file in itertools.product(range(views), files):
        try:
            with Image.open(file) as opened:
                image = ImageOps.exif_transpose(opened).convert("RGB")
        except Exception as error:  # Pillow's decoders raise types of their own for what is damaged.
            raise VerificationError(f"{file} is not an image that can be read: {error}") from error
        try:
            made = preprocessing(_part(image, generator) if view else image)
        except Exception as error:
            raise VerificationError(f"get_preprocessing() of the model file failed on {file}: {error}") from error
        yield [made.numpy() if hasattr(made, "numpy") else np.asarray(made)]


def _part(image: Image.Image, generator: np.random.Generator) -> Image.Image:
    """A square of 0.4 to 1 of the image's shorter side, anywhere in it."""
    side = max(1, int(min(image.size) * generator.uniform(0.4, 1.0)))
    left, top = (int(generator.integers(0, size - side + 1)) for size in image.size)
    part = image.crop((left, top, left + side, top + side))
    return ImageOps.mirror(part) if generator.random() < 0.5 else part
