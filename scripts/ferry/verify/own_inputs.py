"""The inputs that the model file's own code gives or prepares: ``get_inputs`` and ``get_preprocessing``."""

from typing import Any, Iterable, Iterator, List, Optional

from ferry.errors import ModelFileError
from ferry.model import model_file
from ferry.runtimes import TensorSpec
from ferry.verify import given_inputs
from ferry.verify.input_source import StoredInputs


def stored(path: str, given: str, specs: List[TensorSpec], limit: int, folder: str) -> Optional[StoredInputs]:
    """The images in the folder ``given``; where that is empty, what ``get_inputs()`` gives, or None without one.

    Args:
        path: the model file, which has been imported.
        given: a folder, or an empty string.
        specs: the model's inputs.
        limit: how many samples there are at most.
        folder: where the arrays are put.

    Raises:
        ModelFileError: there is no ``get_preprocessing()``, or a function of the model file fails.
        VerificationError: what they give does not fit the model.
    """
    if given:
        return _images(path, given, specs, limit, folder)
    get_inputs = model_file.optional_function(path, "get_inputs")
    if get_inputs is None:
        return None
    return given_inputs.of_model_file(_guarded(path, get_inputs), path, specs, limit, folder)


def _images(path: str, given: str, specs: List[TensorSpec], limit: int, folder: str) -> StoredInputs:
    # Pillow is needed for images alone, and another PyTorch's environment may have none.
    from ferry.verify import image_inputs

    preprocessing = model_file.optional_function(path, "get_preprocessing")
    if preprocessing is None:
        raise ModelFileError(
            f"INPUTS={given} is a folder, and {path} has no get_preprocessing(): define it to return what makes an "
            "input of a PIL image, such as a torchvision.transforms.Compose"
        )
    files = image_inputs.files_in(given)
    named = f"{min(limit, len(files))} images of {given}"
    samples = image_inputs.samples(files[:limit], preprocessing())
    return given_inputs.from_samples(samples, named, given, specs, limit, folder)


def _guarded(path: str, get_inputs: Any) -> Any:
    def called(count: int) -> Any:
        try:
            made = get_inputs(count)
        except Exception as error:
            raise ModelFileError(f"{path}: get_inputs() failed: {type(error).__name__}: {error}") from error
        return made if not isinstance(made, Iterator) else _guarded_items(path, made)

    return called


def _guarded_items(path: str, made: Iterable[Any]) -> Iterator[Any]:
    try:
        yield from made
    except Exception as error:
        raise ModelFileError(f"{path}: get_inputs() failed: {type(error).__name__}: {error}") from error
