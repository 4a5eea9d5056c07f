"""Whole measurements of a small model, with PyTorch and ONNX Runtime in processes of their own."""

import json
import os
import shutil

import numpy as np
import pytest

from ferry.errors import FerryError, VerificationError
from ferry.model.model_source import ModelSource
from ferry.verify import chunk_file, measure, reference_chunks, reference_store
from ferry.verify.measure import Job, Measurement
from ferry.verify.reference_chunks import ReferenceChunks
from ferry.verify.reference_store import ReferenceStore
from programs import run_stage, write_model

SAMPLES = 40


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    members = "self.c = nn.Conv2d(3, 4, 3); self.d = nn.Conv2d(4, 4, 3, groups=4)"
    path = write_model(folder / "m.py", "self.d(self.c(x)).mean([2, 3])", members=members)
    export(path)
    return path


def export(path):
    done = run_stage("export_onnx", "--model", path, "--output", path.parent / "model.onnx")
    assert done.returncode == 0, done.stderr


@pytest.fixture()
def job(model, tmp_path):
    return Job(
        model=ModelSource(str(model)),
        artifacts={"onnx": str(model.parent / "model.onnx")},
        options={},
        kept=str(tmp_path / "build" / "references"),
        output=str(tmp_path / "build"),
        samples=SAMPLES,
        given="",
        tolerance=None,
        key={"lock": "1"},
        processors=2,
    )


def measured(job):
    """The outcome, and who advanced by how much."""
    advanced = {}

    def advance(name, samples):
        advanced[name] = advanced.get(name, 0) + samples

    os.makedirs(job.output, exist_ok=True)
    outcome = Measurement(job, lambda samples: None, advance).run()
    assert advanced == {"pytorch": outcome.source.count, "onnx": outcome.source.count}
    return outcome


def figures(outcome):
    errors, noise = outcome.stages["onnx"].errors[0], outcome.reference.noise[0]
    distances = [errors.reference, errors.float32, noise.reference]
    return [(each.count, each.largest, each.worst_sample, each.p999) for each in distances]


def means(outcome):
    return outcome.stages["onnx"].errors[0].reference.mean, outcome.reference.noise[0].reference.mean


def test_a_second_check_reuses_the_references_to_the_same_figures(job):
    first, second = measured(job), measured(job)
    assert (first.reference.reused, first.reference.kept) == (False, True)
    assert second.reference.reused
    assert figures(first) == figures(second)
    assert first.reference.latencies == second.reference.latencies
    assert first.reference.latencies["float64"].milliseconds.median > 0
    assert os.listdir(job.output) == ["references"]


def test_a_share_in_float64_is_kept_and_completed_without_running_it_again(job):
    share = measured(job._replace(float64_samples=10))
    assert share.reference.float64_samples == 10
    (errors,), (noise,) = share.stages["onnx"].errors, share.reference.noise
    assert errors.float32.count == 4 * errors.reference.count == 4 * noise.reference.count
    assert measured(job._replace(float64_samples=10)).reference.reused
    whole = measured(job)
    assert (whole.reference.reused, whole.reference.remade, whole.reference.float64_samples) == (True, 0, SAMPLES)
    # What is kept in full serves where a share is asked for.
    again = measured(job._replace(float64_samples=10))
    assert (again.reference.reused, again.reference.float64_samples) == (True, SAMPLES)
    anew = measured(job._replace(key={"lock": "2"}))
    assert figures(whole) == figures(again) == figures(anew)


@pytest.mark.parametrize("change", [{"given": "uniform"}, {"samples": 20}, {"key": {"lock": "2"}}])
def test_other_inputs_or_another_lock_have_references_of_their_own(job, change):
    first, second = measured(job), measured(job._replace(**change))
    assert not second.reference.reused
    assert second.reference.key != first.reference.key
    assert len(os.listdir(os.path.join(job.output, "references"))) == 1


def test_several_processes_for_pytorch_make_no_difference(job, monkeypatch):
    alone = measured(job)
    monkeypatch.setattr(measure, "SAMPLES_A_WORKER", 10)
    together = measured(job._replace(key={"lock": "2"}))
    assert figures(alone) == figures(together)
    assert means(alone) == pytest.approx(means(together))


def chunks_of(job, outcome):
    folder = os.path.join(job.output, "references", outcome.reference.key[:16])
    return [os.path.join(folder, chunk_file.name_of(start)) for start in range(0, SAMPLES, 16)]


def test_altered_references_are_computed_anew_and_counted(job):
    first = measured(job)
    paths = chunks_of(job, first)
    # Valid, and of the right shapes; all but the first sample, which is compared with today's, is wrong.
    for path in paths[1:]:
        with np.load(path) as held:
            arrays = {name: held[name] + 1 for name in held.files}
        np.savez(path, **arrays)
    second = measured(job)
    assert (second.reference.reused, second.reference.remade, second.reference.kept) == (True, SAMPLES - 16, True)
    assert figures(first) == figures(second)
    third = measured(job)
    assert (third.reference.reused, third.reference.remade) == (True, 0)
    assert figures(first) == figures(third)


def test_one_damaged_chunk_is_one_chunk_to_compute(job):
    first = measured(job)
    with open(chunks_of(job, first)[1], "r+b") as file:
        file.seek(200)
        file.write(b"\xff")
    second = measured(job)
    assert (second.reference.reused, second.reference.remade) == (True, 16)
    assert figures(first) == figures(second)


def test_an_altered_key_file_makes_all_of_them_anew(job):
    first = measured(job)
    path = os.path.join(os.path.dirname(chunks_of(job, first)[0]), reference_store.KEY_FILE)
    with open(path) as file:
        held = json.load(file)
    held["chunks"] = dict(zip(held["chunks"], reversed(list(held["chunks"].values()))))
    with open(path, "w") as file:
        json.dump(held, file)
    second = measured(job)
    assert (second.reference.reused, second.reference.remade, second.reference.kept) == (False, SAMPLES, True)
    assert figures(first) == figures(second)
    assert measured(job).reference.remade == 0


def test_kept_references_are_only_read_where_they_are(job, tmp_path):
    first = measured(job)
    os.unlink(chunks_of(job, first)[1])
    with open(chunks_of(job, first)[0], "ab") as file:
        file.write(b"more")
    before = {path: os.stat(path).st_mtime_ns for path in (chunks_of(job, first)[0], chunks_of(job, first)[2])}
    again = measured(job._replace(output=str(tmp_path / "output")))
    assert (again.reference.reused, again.reference.remade) == (True, 16)
    assert {path: os.stat(path).st_mtime_ns for path in before} == before
    assert not os.path.exists(chunks_of(job, first)[1])
    there = job._replace(kept=str(tmp_path / "output" / "references"), output=str(tmp_path / "third"))
    third = measured(there)
    assert (third.reference.reused, third.reference.remade) == (True, 0)
    assert figures(first) == figures(third)
    assert os.listdir(there.output) == []


def test_references_too_large_to_keep_pass_through_the_disk(job, monkeypatch):
    kept = measured(job)
    monkeypatch.setattr(reference_store, "KEPT_BYTES", 0)
    monkeypatch.setattr(reference_chunks, "IN_FLIGHT_BYTES", 1)
    seen = []
    drop = ReferenceChunks.drop

    def watched(self, read):
        drop(self, read)
        seen.append(len(os.listdir(os.path.dirname(self._store.path_of(0)))))

    monkeypatch.setattr(ReferenceChunks, "drop", watched)
    passed = measured(job._replace(key={"lock": "2"}))
    assert not passed.reference.kept
    assert passed.reference.unkept == "they are larger than 0 GB"
    assert figures(kept) == figures(passed)
    assert max(seen) <= 2
    assert len(os.listdir(os.path.join(job.output, "references"))) == 1  # Those that were kept before.


@pytest.mark.parametrize("when", ["from the start", "in the midst"])
def test_without_room_in_the_folder_it_goes_on_without_keeping(job, monkeypatch, when):
    expected = figures(measured(job))
    job = job._replace(key={"lock": "2"})
    folder = os.path.join(job.output, "references")
    if when == "from the start":
        shutil.rmtree(folder)
        os.symlink("/proc", folder)
    else:
        path_of = ReferenceStore.path_of
        # As a disk does that is full: what is there stays, and no more can be written.
        full = os.path.join(job.output, "nowhere", "chunk")

        def path_while_full(self, start):
            return full if start == 16 and not self.spared else path_of(self, start)

        monkeypatch.setattr(ReferenceStore, "path_of", path_while_full)
    outcome = measured(job)
    assert not outcome.reference.kept
    assert outcome.reference.unkept.endswith(folder)
    assert figures(outcome) == expected
    assert sorted(os.listdir(job.output)) == ["references"]
    assert when == "from the start" or len(os.listdir(folder)) == 1


def test_without_room_anywhere_that_is_said(job, monkeypatch):
    monkeypatch.setattr(ReferenceStore, "path_of", lambda self, start: os.path.join(job.output, "nowhere", "chunk"))
    with pytest.raises(VerificationError, match="there is no room for PyTorch's outputs: No such file or directory"):
        measured(job)


WEIGHTS = """
import os, torch, net

def get_pytorch_model():
    model = net.Net()
    model.load_state_dict(torch.load(os.path.join(os.path.dirname(__file__), "weights.pth")))
    return model

def get_example_input():
    return torch.zeros(1, 3, 8, 8)
"""
NET = """
import torch

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.l = torch.nn.Conv2d(3, 4, 3)

    def forward(self, x):
        return self.l(x) * FACTOR
"""


@pytest.mark.parametrize("changed", ["weights", "code beside the model file"])
def test_references_of_other_weights_or_code_are_not_reused(job, tmp_path, changed):
    import torch

    def write(weight, factor):
        (tmp_path / "net.py").write_text(NET.replace("FACTOR", factor))
        torch.manual_seed(weight)
        layer = torch.nn.Conv2d(3, 4, 3)
        torch.save({f"l.{name}": value for name, value in layer.state_dict().items()}, str(tmp_path / "weights.pth"))

    (tmp_path / "m.py").write_text(WEIGHTS)
    write(1, "1.0")
    export(tmp_path / "m.py")
    job = job._replace(
        model=ModelSource(str(tmp_path / "m.py")), artifacts={"onnx": str(tmp_path / "model.onnx")}, samples=3
    )
    first = measured(job)
    write(*((2, "1.0") if changed == "weights" else (1, "1.5")))
    second = measured(job)
    assert not second.reference.reused
    assert figures(first) != figures(second)
    assert second.stages["onnx"].errors[0].reference.largest > 0.1


def test_a_model_whose_weights_differ_from_load_to_load_is_refused(job, tmp_path, monkeypatch):
    path = write_model(tmp_path / "m.py", "self.c(x)", members="self.c = nn.Conv2d(3, 4, 3)")
    path.write_text(path.read_text().replace("return Model()", "torch.seed(); return Model()"))
    export(path)
    monkeypatch.setattr(measure, "SAMPLES_A_WORKER", 10)
    with pytest.raises(VerificationError, match="has other weights each time it is loaded"):
        measured(job._replace(model=ModelSource(str(path)), artifacts={"onnx": str(tmp_path / "model.onnx")}))


@pytest.mark.parametrize(
    ("forward", "reason"),
    [
        ("self.c(x.float())", "double"),
        ("self.c(x).float()", "its output stays float32"),
        ("self.c(x * int(x.dtype is torch.float32 or 'no'))", "ValueError"),
        (
            "torch.softmax(self.c(x).float() + torch.zeros(6, 6, dtype=torch.float32), 1, dtype=torch.float32)",
            "float32",
        ),
        ("self.c(x) * self.t.data", "deepcopy"),
    ],
)
def test_where_the_module_refuses_float64_its_trace_is_run_in_it(job, tmp_path, forward, reason):
    members = "torch.manual_seed(1); self.c = nn.Conv2d(3, 4, 3)"
    if "self.t" in forward:
        members += "; self.t = self.c.weight.sum() * 2"
    path = write_model(tmp_path / "m.py", forward, members=members)
    outcome = measured_model(job, path)
    assert (outcome.reference.dtype, outcome.reference.traced) == ("float64", True)
    assert reason in outcome.reference.reason.lower() or reason in outcome.reference.reason
    assert 0 < outcome.reference.noise[0].reference.mean < 1e-6
    assert outcome.stages["onnx"].errors[0].reference.largest < 1e-5


def measured_model(job, path):
    export(path)
    return measured(
        job._replace(model=ModelSource(str(path)), artifacts={"onnx": str(path.parent / "model.onnx")}, samples=3)
    )


def test_where_the_trace_does_something_else_the_module_decides(job, tmp_path):
    forward = "self.c(x.float()) * (2.0 if float(x.sum()) > 0 else 1.0)"
    path = write_model(tmp_path / "m.py", forward, members="torch.manual_seed(1); self.c = nn.Conv2d(3, 4, 3)")
    outcome = measured_model(job, path)
    assert outcome.reference.traced
    assert outcome.stages["onnx"].errors[0].reference.largest > 0.1


def test_where_no_trace_can_be_run_in_float64_float32_is_the_reference(job, tmp_path, monkeypatch):
    import torch

    class Narrow(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.c = torch.nn.Conv2d(3, 4, 3)

        def forward(self, x):
            return self.c(x).float()

    torch.manual_seed(1)
    path = tmp_path / "m.pt"
    torch.jit.script(Narrow()).save(str(path))
    shape = "1,3,8,8"
    done = run_stage("export_onnx", "--model", path, "--output", tmp_path / "model.onnx", "--input-shape", shape)
    assert done.returncode == 0, done.stderr
    model = ModelSource(str(path), "", shape)
    outcome = measured(job._replace(model=model, artifacts={"onnx": str(tmp_path / "model.onnx")}, samples=3))
    assert (outcome.reference.dtype, outcome.reference.noise) == ("float32", None)
    assert (
        outcome.reference.reason
        == "its output stays float32; its trace: NotImplementedError: TorchScript is not traced again"
    )
    assert outcome.stages["onnx"].errors[0].reference.largest < 1e-5


MAKES_ITS_OWN = {
    "torch.ones in forward": "torch.matmul(self.c(x), torch.ones(6, 6))",
    "a tensor that is no buffer": "self.c(x) * self.t",
    "a default dtype in a literal": "self.c(x) + torch.tensor(0.5)",
}


@pytest.mark.parametrize("forward", MAKES_ITS_OWN.values(), ids=MAKES_ITS_OWN)
def test_what_a_module_makes_itself_is_in_float64_too(job, tmp_path, forward):
    path = write_model(tmp_path / "m.py", forward, members="self.c = nn.Conv2d(3, 4, 3); self.t = torch.ones(6) * 3")
    export(path)
    outcome = measured(
        job._replace(model=ModelSource(str(path)), artifacts={"onnx": str(tmp_path / "model.onnx")}, samples=3)
    )
    assert (outcome.reference.dtype, outcome.reference.reason) == ("float64", None)
    assert 0 < outcome.reference.noise[0].reference.mean < 1e-6


def test_given_inputs_are_used_and_gone_afterwards(job, tmp_path):
    array = np.random.RandomState(0).standard_normal((7, 3, 8, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", array)
    outcome = measured(job._replace(given=str(tmp_path / "x.npy")))
    assert outcome.source.count == 7
    worst = outcome.stages["onnx"].errors[0].reference.worst_sample
    np.testing.assert_array_equal(outcome.worst_inputs["onnx"][0][0], array[worst])
    assert os.listdir(job.output) == ["references"]


@pytest.mark.parametrize(("forward", "highest"), [("self.e(x + 2)", 37), ("self.e(x % 3) + int(x.max() < 9)", 1)])
def test_tokens_are_drawn_from_the_table_that_they_read(job, tmp_path, forward, highest):
    example = "torch.tensor([[0, 1]])"
    path = write_model(tmp_path / "m.py", forward, example, "torch.manual_seed(1); self.e = nn.Embedding(40, 4)")
    export(path)
    model = ModelSource(str(path))
    source = measured(job._replace(model=model, artifacts={"onnx": str(tmp_path / "model.onnx")})).source
    drawn = {int(token) for position in range(SAMPLES) for token in source.sample(position)[0].ravel()}
    assert max(drawn) == highest
    assert source.sample(0)[0].tolist() == [[0, 1]]
    assert ("from 0 to 37, the rows of the table" in source.description["text"]) == (highest == 37)


def test_with_no_stage_left_the_reference_is_not_computed_to_its_end(job, tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    job = job._replace(artifacts={"onnx": str(tmp_path / "model.onnx")}, samples=100_000)
    outcome = Measurement(job._replace(output=str(tmp_path)), lambda _: None, lambda *_: None).run()
    assert "is not an ONNX model" in outcome.stages["onnx"].fault
    assert outcome.reference.summaries[0].samples < 100_000
    assert not outcome.reference.kept


def test_a_missing_model_file_is_the_users_error(job):
    with pytest.raises(FerryError, match="there is no model file"):
        measured(job._replace(model=ModelSource("nowhere/m.py")))
