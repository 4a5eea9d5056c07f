import itertools
import os
import pickle

import numpy as np
import pytest
from PIL import Image

from ferry.errors import VerificationError
from ferry.runtimes import TensorSpec
from ferry.verify import given_inputs, image_inputs, npz

pytestmark = pytest.mark.fast

IMAGE = TensorSpec("input", (1, 3, 4, 4), np.dtype(np.float32))
TWO = [TensorSpec("input_0", (1, 3), np.dtype(np.float32)), TensorSpec("input_1", (1, 2), np.dtype(np.int64))]


@pytest.fixture()
def folder(tmp_path):
    made = tmp_path / "inputs.partial"
    made.mkdir()
    return str(made)


def normal(*shape):
    return np.random.RandomState(0).standard_normal(shape).astype(np.float32)


def given(path, folder, specs=(IMAGE,), limit=100):
    return given_inputs.from_file(str(path), list(specs), limit, folder)


@pytest.mark.parametrize("shape", [(5, 1, 3, 4, 4), (5, 3, 4, 4)])
@pytest.mark.parametrize("kind", ["npy", "npz", "compressed"])
def test_samples_come_in_order_with_their_batch_or_without(tmp_path, folder, shape, kind):
    array, path = normal(*shape), tmp_path / f"x.{'npy' if kind == 'npy' else 'npz'}"
    if kind == "npy":
        np.save(path, array)
    elif kind == "npz":
        np.savez(path, input=array)
    else:
        np.savez_compressed(path, any_name=array)
    source = given(path, folder)
    assert source.count == 5
    for position in (3, 0, 4):
        sample = source.sample(position)[0]
        assert sample.shape == (1, 3, 4, 4)
        np.testing.assert_array_equal(sample[0], array[position].reshape(3, 4, 4))
    again = pickle.loads(pickle.dumps(source))
    np.testing.assert_array_equal(again.sample(1)[0], source.sample(1)[0])


def test_no_more_are_taken_than_asked_for(tmp_path, folder):
    np.save(tmp_path / "x.npy", normal(5, 3, 4, 4))
    assert given(tmp_path / "x.npy", folder, limit=2).count == 2


def test_the_digest_is_of_the_samples_and_not_of_the_file(tmp_path, folder):
    np.savez(tmp_path / "a.npz", input=normal(5, 3, 4, 4))
    np.savez_compressed(tmp_path / "b.npz", input=normal(5, 3, 4, 4))
    np.savez(tmp_path / "c.npz", input=normal(5, 3, 4, 4) + 1)
    digests = [given(tmp_path / name, folder).description["sha256"] for name in ("a.npz", "b.npz", "c.npz")]
    assert digests[0] == digests[1] != digests[2]


def test_several_inputs_and_narrower_dtypes(tmp_path, folder):
    np.savez(tmp_path / "x.npz", input_1=np.arange(8, dtype=np.int32).reshape(4, 2), input_0=np.ones((4, 3)))
    source = given(tmp_path / "x.npz", folder, TWO)
    first, second = source.sample(3)
    assert (first.dtype, second.dtype) == (np.float32, np.int64)
    np.testing.assert_array_equal(second, [[6, 7]])


class Evil:
    def __reduce__(self):
        return os.mkdir, ("unpickled",)


@pytest.mark.parametrize("name", ["../../victim", "serving/input", "nul\x00", "n" * 300, "größe", "\x1b[2J"])
@pytest.mark.parametrize("called", ["as the tensor", "by position"])
def test_no_name_of_a_tensor_becomes_a_path(tmp_path, folder, name, called):
    specs = [TensorSpec(name, (1, 3), np.dtype(np.float32)), TensorSpec("other", (1, 2), np.dtype(np.float32))]
    first = name if called == "as the tensor" and "\x00" not in name else npz.member_names([name, "other"])[0]
    (tmp_path / "victim.npy").write_text("precious")
    (tmp_path / "x.npz").write_bytes(npz.to_bytes({first: np.ones((4, 3)), "other": np.zeros((4, 2))}))
    before = sorted(path.name for path in tmp_path.iterdir())
    source = given(tmp_path / "x.npz", folder, specs)
    assert [array[0, 0] for array in source.sample(3)] == [1, 0]
    assert sorted(os.listdir(folder)) == ["input_0.npy", "input_1.npy"]
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    assert (tmp_path / "victim.npy").read_text() == "precious"


def nan(array):
    array[3, 0, 0, 0] = np.nan
    return array


REFUSED = {
    "another shape": (
        normal(5, 3, 4, 5),
        r"has shape \[5, 3, 4, 5\]; input input needs \[N, 1, 3, 4, 4\] or \[N, 3, 4, 4\]",
    ),
    "no samples": (normal(0, 3, 4, 4), "gave no inputs"),
    "objects": (np.array([Evil()], object), "is an array of objects, which is a pickle, and is not read"),
    "NaN": (nan(normal(5, 3, 4, 4)), "sample 3: input holds NaN or infinity"),
    "beyond float32": (np.full((5, 3, 4, 4), 1e300), "sample 0: input holds NaN or infinity"),
    "integers": (np.ones((5, 3, 4, 4), np.int64), "input is of int64; the model takes float32"),
    "by columns": (np.asfortranarray(normal(5, 3, 4, 4)), "is stored by columns"),
}


@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize(("array", "message"), REFUSED.values(), ids=REFUSED)
def test_arrays_that_do_not_fit_are_refused(tmp_path, folder, monkeypatch, kind, array, message):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"x.{kind}"
    if kind == "npy":
        np.save(path, array)
    else:
        np.savez(path, input=array)
    with pytest.raises(VerificationError, match=message):
        given(path, folder)
    assert not (tmp_path / "unpickled").exists()


@pytest.mark.parametrize("kind", ["npy", "npz"])
@pytest.mark.parametrize("kept", [0, 5, 60, 400, 0.9])
def test_a_file_that_is_cut_short_is_refused(tmp_path, folder, kind, kept):
    path = tmp_path / f"x.{kind}"
    np.save(path, normal(50, 3, 4, 4)) if kind == "npy" else np.savez(path, input=normal(50, 3, 4, 4))
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data)) if kept == 0.9 else kept])
    with pytest.raises(VerificationError, match="is not a whole NumPy file|is cut short"):
        given(path, folder)


def test_a_damaged_member_is_found_by_its_checksum(tmp_path, folder):
    path = tmp_path / "x.npz"
    np.savez(path, input=normal(50, 3, 4, 4))
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises(VerificationError, match="is not a whole NumPy file: Bad CRC-32"):
        given(path, folder)


def test_a_header_that_claims_more_than_there_is(tmp_path, folder):
    np.save(tmp_path / "x.npy", normal(5, 3, 4, 4))
    data = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(data.replace(b"(5, 3, 4, 4)", b"(9, 3, 4, 4)"))
    with pytest.raises(VerificationError, match="is cut short: it ends in sample 5 of 9"):
        given(tmp_path / "x.npy", folder)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"input_0": np.ones((4, 3))}, "has no array input_1; it holds input_0"),
        ({"input_0": np.ones((4, 3)), "input_1": np.ones((3, 2), int)}, r"different numbers of samples: \[3, 4\]"),
        ({}, "has no array input_0, input_1; it holds none"),
    ],
)
def test_the_arrays_of_several_inputs_must_be_all_there(tmp_path, folder, arrays, message):
    np.savez(tmp_path / "x.npz", **arrays)
    with pytest.raises(VerificationError, match=message):
        given(tmp_path / "x.npz", folder, TWO)


def test_one_array_is_not_enough_for_two_inputs(tmp_path, folder):
    np.save(tmp_path / "x.npy", np.ones((4, 3)))
    with pytest.raises(VerificationError, match=r"holds one array and the model has 2 inputs: give an \.npz"):
        given(tmp_path / "x.npy", folder, TWO)


@pytest.mark.parametrize(
    ("name", "message"),
    [("missing.npz", "there is no file or folder"), ("x.csv", r"is no \.npz, no \.npy and no folder of images")],
)
def test_other_files_are_refused(tmp_path, folder, name, message):
    (tmp_path / "x.csv").write_text("1,2")
    with pytest.raises(VerificationError, match=message):
        given(tmp_path / name, folder)


def samples_of(made, folder, specs=(IMAGE,), limit=100):
    return given_inputs.of_model_file(lambda count: made, "models/m.py", list(specs), limit, folder)


class Tensor:
    """What a torch tensor looks like from here."""

    def __init__(self, array):
        self._array, self.shape, self.dtype = array, array.shape, array.dtype

    def detach(self):
        return self

    def numpy(self):
        return self._array


X = normal(4, 1, 3, 4, 4)
FORMS = {
    "an array": lambda: X,
    "a tensor": lambda: Tensor(X),
    "without the batch": lambda: X[:, 0],
    "a tuple of one": lambda: (X,),
    "a list of samples": lambda: list(X),
    "a generator": lambda: (sample for sample in X),
    "a generator of tuples": lambda: ((Tensor(sample),) for sample in X),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_model_file_may_give_its_inputs_in_any_form(folder, form):
    source = samples_of(form(), folder)
    assert source.count == 4
    np.testing.assert_array_equal(source.sample(2)[0], X[2])


def test_a_generator_without_an_end_is_stopped(folder):
    assert samples_of(itertools.repeat(X[0]), folder, limit=7).count == 7


def test_two_inputs_of_a_model_file(folder):
    whole = (np.ones((4, 1, 3)), np.ones((4, 1, 2), int))
    assert samples_of(whole, folder, TWO).count == 4
    assert samples_of(zip(*whole), folder, TWO).count == 4


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (3, "must give arrays or an iterable of samples, and gave int"),
        ([], "gave no inputs"),
        ([X[0], X[0][..., :2]], r"sample 1: input has shape \[1, 3, 4, 2\], not \[1, 3, 4, 4\]"),
        ([(X[0], X[0])], "sample 0 has 2 inputs, and the model 1"),
        ([X[0], X[0] * np.inf], "sample 1: input holds NaN or infinity"),
        (["a.jpg"], "sample 0: input has shape"),
    ],
)
def test_what_a_model_file_gives_is_checked(folder, made, message):
    with pytest.raises(VerificationError, match=message):
        samples_of(made, folder)


def as_array(image):
    return np.asarray(image.resize((4, 4)), np.float32).transpose(2, 0, 1) / 255


def test_images_are_read_in_the_order_of_their_paths_and_in_rgb(tmp_path, folder):
    (tmp_path / "images" / "more").mkdir(parents=True)
    for name, mode, colour in (
        ("b.png", "L", 255),
        ("a.jpg", "RGB", (255, 0, 0)),
        ("more/c.png", "RGBA", (0, 0, 255, 9)),
    ):
        Image.new(mode, (8, 8), colour).save(tmp_path / "images" / name)
    (tmp_path / "images" / "labels.txt").write_text("not an image, and not taken for one")
    files = image_inputs.files_in(str(tmp_path / "images"))
    assert [os.path.basename(file) for file in files] == ["a.jpg", "b.png", "c.png"]
    source = given_inputs.from_samples(
        image_inputs.samples(files, as_array), "images", str(tmp_path), [IMAGE], 100, folder
    )
    colours = [source.sample(position)[0][0, :, 0, 0] for position in range(3)]
    np.testing.assert_allclose(colours, [[1, 0, 0], [1, 1, 1], [0, 0, 1]], atol=0.01)


def test_an_image_is_turned_as_its_exif_says(tmp_path):
    image = Image.new("RGB", (8, 4))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "a.jpg", exif=exif)
    made = next(image_inputs.samples([str(tmp_path / "a.jpg")], np.asarray))
    assert made[0].shape == (8, 4, 3)


@pytest.mark.parametrize("data", [b"", b"not an image", None])
def test_an_image_that_is_none_is_named(tmp_path, data):
    if data is None:
        Image.new("RGB", (64, 64)).save(tmp_path / "whole.png")
        data = (tmp_path / "whole.png").read_bytes()[:60]
    (tmp_path / "a.png").write_bytes(data)
    with pytest.raises(VerificationError, match="a.png is not an image that can be read"):
        next(image_inputs.samples([str(tmp_path / "a.png")], as_array))


def test_a_folder_without_images_is_refused(tmp_path):
    with pytest.raises(VerificationError, match="holds no images"):
        image_inputs.files_in(str(tmp_path))
