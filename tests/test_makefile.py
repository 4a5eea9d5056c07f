"""What ``make`` rebuilds and when, in a copy of the checkout whose path has spaces."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time

import pytest

from programs import KEPT_OUT, ROOT, run, run_stage, write_model, write_model_outside
from runners import stages

SLOW = pytest.mark.slow
STAGES = ("export_onnx", "onnx_to_tf", "tf_to_tflite")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the checkout that shares its environments and holds one small model, ``tiny``."""
    folder = tmp_path_factory.mktemp("a folder with spaces") / "the checkout"
    shutil.copytree(str(ROOT), str(folder), ignore=KEPT_OUT)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    write_model(folder / "models" / "tiny.py", "F.relu(self.c(x))", members="self.c = nn.Conv2d(3, 4, 3)")
    write_model(folder / "models" / "other.py", "x.mean([2, 3])")
    write_model(folder / "models" / "article.py", "x + 1")
    return folder


def make(checkout, *arguments):
    return run("make", "RUNNER=venv", *arguments, cwd=str(checkout))


def stages_run(done):
    return re.findall(r"^(\w+): build/", done.stdout, re.MULTILINE)


@contextlib.contextmanager
def edited(path, text):
    """``path`` with ``text`` at its end, for as long as this lasts."""
    before = path.read_text()
    path.write_text(before + text)
    try:
        yield
    finally:
        path.write_text(before)


def planned(done):
    """The stages that ``make -n`` would run."""
    assert done.returncode == 0, done.stderr
    return re.findall(r" stage (?:--always )?\s*RUNNER (\w+) ", done.stdout)


@pytest.fixture()
def made(checkout):
    done = make(checkout, "tflite", "MODEL=tiny")
    assert done.returncode == 0, done.stderr
    return checkout


def test_make_alone_prints_every_verb(checkout):
    done = make(checkout)
    assert done.returncode == 0
    verbs = re.findall(r"^([a-z][\w-]*):[^=]", (checkout / "Makefile").read_text(), re.MULTILINE)
    assert {"tflite", "verify", "test", "lock", "clean", "onnx", "tf"} <= set(verbs)
    for verb in verbs:
        assert re.search(rf"^  make {verb} +\S", done.stdout, re.MULTILINE), verb


def test_a_second_make_does_nothing_and_asks_for_no_engine(made):
    done = run("make", "tflite", "MODEL=tiny", cwd=str(made))
    assert done.returncode == 0
    assert done.stdout.strip() == "make: Nothing to be done for 'tflite'."
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("changed", "text", "remade"),
    [
        ("models/tiny.py", "# a remark\n", ["export_onnx"]),
        pytest.param("models/tiny.py", "Model.forward = lambda self, x: self.c(x)\n", list(STAGES), marks=SLOW),
        ("scripts/ferry/lowering/operators/conv.py", "# a remark\n", ["onnx_to_tf"]),
        pytest.param("scripts/tf_to_tflite.py", "# a remark\n", ["tf_to_tflite"], marks=SLOW),
        pytest.param("scripts/verify.py", "# a remark\n", [], marks=SLOW),
        ("models/other.py", "# a remark\n", []),
    ],
)
def test_a_changed_file_remakes_what_depends_on_its_bytes_and_no_more(made, changed, text, remade):
    with edited(made / changed, text):
        done = make(made, "tflite", "MODEL=tiny")
        assert done.returncode == 0, done.stderr
        assert stages_run(done) == remade
        assert stages_run(make(made, "tflite", "MODEL=tiny")) == []


def test_another_lock_remakes_all(made):
    with edited(made / "requirements.lock", "# a remark\n"):
        # No more than planned: the environment, which is the tests' own too, would be made anew first.
        assert planned(make(made, "-n", "tflite", "MODEL=tiny")) == list(STAGES)


def test_a_file_that_is_only_touched_remakes_nothing(made):
    for path in (made / "models" / "tiny.py", made / "scripts" / "export_onnx.py"):
        os.utime(str(path))
    assert make(made, "tflite", "MODEL=tiny").stdout == "make: Nothing to be done for 'tflite'.\n"


def test_an_older_file_with_other_bytes_in_its_place_is_found_out(made):
    model = made / "models" / "tiny.py"
    before, times = model.read_bytes(), model.stat()
    other = made / "older.py"
    other.write_bytes(before.replace(b"F.relu(self.c(x))", b"F.tanh(self.c(x))"))
    os.utime(str(other), ns=(times.st_atime_ns, times.st_mtime_ns))
    try:
        assert run("cp", "-p", other, model).returncode == 0
        assert (model.stat().st_size, model.stat().st_mtime_ns) == (times.st_size, times.st_mtime_ns)
        assert stages_run(make(made, "tflite", "MODEL=tiny")) == list(STAGES)
    finally:
        model.write_bytes(before)


def test_a_model_file_that_is_edited_during_its_export_is_stale(made):
    model, marker = made / "models" / "tiny.py", made / "started"
    before = model.read_text()
    try:
        model.write_text(f"import time\nopen({str(marker)!r}, 'w').close()\ntime.sleep(3)\n" + before)
        process = subprocess.Popen(
            ["make", "RUNNER=venv", "SANDBOX=none", "onnx", "MODEL=tiny"], cwd=str(made), stdout=subprocess.DEVNULL
        )
        deadline = time.time() + 60
        while not marker.exists() and time.time() < deadline:
            time.sleep(0.05)
        model.write_text(before)
        assert process.wait(60) == 0
        assert planned(make(made, "-n", "onnx", "MODEL=tiny")) == ["export_onnx"]
    finally:
        model.write_text(before)
        marker.unlink()


@pytest.mark.parametrize("damage", ["text", *(pytest.param(each, marks=SLOW) for each in ("cut", "folder", "other"))])
def test_a_damaged_record_means_stale_and_is_no_error(made, damage):
    record = made / "build" / "tiny" / ".made" / "model.pb.json"
    whole = record.read_text()
    record.unlink()
    if damage == "folder":
        record.mkdir()
    else:
        record.write_text({"text": "$(shell touch x)", "cut": whole[:100], "other": "[[[{}]]]"}[damage])
    try:
        done = make(made, "tflite", "MODEL=tiny")
        assert done.returncode == 0, done.stderr
        assert stages_run(done) == ["onnx_to_tf"]
    finally:
        if damage == "folder":
            record.rmdir()


def test_a_file_of_rules_that_a_stage_has_left_is_not_read(made):
    (made / "build" / "tiny" / "model.onnx.d").write_text("X := $(shell touch x)\nbroken\\\n")
    assert make(made, "tflite", "MODEL=tiny").returncode == 0
    assert not (made / "x").exists()


@pytest.mark.parametrize(
    ("runner", "remade"), [("docker", True), pytest.param("podman", True, marks=SLOW), ("venv", False)]
)
def test_a_changed_dockerfile_counts_where_the_stages_run_in_its_image(made, runner, remade):
    arguments = ["-n", "tflite", "MODEL=tiny", f"RUNNER={runner}"]
    assert planned(run("make", *arguments, cwd=str(made))) == []
    with edited(made / "Dockerfile.cpu", "# a remark\n"):
        assert planned(run("make", *arguments, cwd=str(made))) == (list(STAGES) if remade else [])


def test_only_verify_asks_for_the_gpu():
    assert [stage.name for stage in stages.TABLE if "DEVICE" in stage.variables] == ["verify"]


def test_every_target_is_right_whichever_name_it_is_asked_by(made):
    file = "build/tiny/model.tflite"
    for arguments in ([file], [file, "MODEL=tiny"], ["tflite", "MODEL=tiny"]):
        assert planned(make(made, "-n", *arguments)) == []
    with edited(made / "models" / "tiny.py", "# a remark\n"):
        for arguments in ([file], [file, "MODEL=other"], ["tflite", "MODEL=tiny"]):
            assert planned(make(made, "-n", *arguments)) == list(STAGES), arguments
        for verb, stage in (("verify", "verify"), ("inspect", "inspect_tflite"), ("bisect", "bisect_model")):
            assert planned(make(made, "-n", f"{verb}/tiny")) == [*STAGES, stage]


def test_make_b_makes_all_anew(made):
    assert planned(make(made, "-n", "-B", "tflite", "MODEL=tiny")) == list(STAGES)
    assert stages_run(make(made, "-B", "tflite", "MODEL=tiny")) == list(STAGES)


@SLOW
def test_several_models_are_made_side_by_side(checkout):
    shutil.rmtree(str(checkout / "build"), ignore_errors=True)
    done = make(checkout, "-j4", "tflite", "MODEL=tiny other")
    assert done.returncode == 0, done.stderr
    assert sorted(stages_run(done)) == sorted(2 * STAGES)
    for name in ("tiny", "other"):
        assert (checkout / "build" / name / "model.tflite").exists()


def test_verify_converts_first_and_writes_its_report(checkout):
    shutil.rmtree(str(checkout / "build"), ignore_errors=True)
    done = make(checkout, "-j4", "verify", "MODEL=tiny", "SAMPLES=5")
    assert done.returncode == 0, done.stderr
    assert (checkout / "build" / "tiny" / "report.json").exists()
    assert "verify: passed: 5 inputs" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tflite", "MODEL=nope"], "there is no model file models/nope.py; models/ holds"),
        (["verify", "MODEL="], "MODEL is empty; models/ holds"),
        (["tflite", "MODEL=*"], "there is no model file models/*.py"),
        (["tflite", "TF=2.3"], "there is no TF '2.3'; it is one of 2.4, 2.2"),
        (["tflite", "TF=2.2 2.4"], "there is no TF '2.2 2.4'; it is one of 2.4, 2.2"),
        (["tflite", "TF="], "there is no TF ''; it is one of 2.4, 2.2"),
        (["tflite", "DEVICE=tpu"], "there is no DEVICE 'tpu'; it is one of cpu, gpu"),
        (["verify", "DEVICE="], "there is no DEVICE ''; it is one of cpu, gpu"),
        (["verify", "TF=2.2", "DEVICE=gpu"], "TF=2.2 runs on the CPU only: on a GPU it needs CUDA 10.1"),
        (["tflite", "GRAPH=artcle"], "there is no GRAPH 'artcle'; it is one of ferry, article"),
        (["tflite", "GRAPH="], "there is no GRAPH ''; it is one of ferry, article"),
        (["tflite", "MODEL=article"], "build/article/ is taken by GRAPH=article, LAYOUT=nhwc, TF=2.2 or TORCH=2"),
        (["tflite", "LAYOUT=hwc"], "there is no LAYOUT 'hwc'; it is one of nchw, nhwc"),
        (["tflite", "GRAPH=article", "LAYOUT=nhwc"], "LAYOUT=nhwc is for Ferry's own graph"),
        (["tflite", "RECURRENT=looped"], "there is no RECURRENT 'looped'; it is one of unrolled, fused"),
        (["tflite", "RECURRENT=fused", "TF=2.2"], "TF=2.2 unrolls recurrent layers"),
        (["tflite", "RECURRENT=fused", "GRAPH=article"], "RECURRENT is for Ferry's own graph"),
        (["matrix", "TF=2.2 2.3"], "there is no TF '2.3'; it is one of 2.4, 2.2"),
        (["matrix", "MODEL=nope"], "there is no model file models/nope.py"),
        (["matrix", "MODEL=tiny", "SAMPLES=0"], "SAMPLES must be a whole number of 1 or more, not '0'"),
        (["bench", "MODEL=nope"], "there is no model file models/nope.py; models/ holds"),
        (["tflite", "MODEL=gone/tiny.py"], "there is no model file gone/tiny.py; models/ holds"),
        (["tflite", "MODEL=a folder/m.py"], "a path with a space in it is read as two"),
        (["tflite", "MODEL=tiny models/tiny.pt"], "there is no model file models/tiny.pt"),
        (["tflite", "MODEL=tiny ../tiny.py"], "there is no model file ../tiny.py"),
        (["tflite", "MODEL=a%b.py"], "there is no model file a%b.py"),
        (["tflite", "MODEL=a';reboot;.py"], "there is no model file a';reboot;.py"),
        (["build/tf2.2/tiny/model.tflite"], "with these variables a model's files are in build/"),
        (
            ["verify/nope"],
            "there is no model file models/nope.py, and nothing was built from a model named nope before",
        ),
        (["verify/a;b"], "a model's name cannot have ';' in it"),
        (["tflite", "MODEL=tiny", "ONNX=m.onnx"], "both MODEL and ONNX are given"),
        (["tflite", "ONNX=models/tiny.py"], "ONNX 'models/tiny.py' is not the name of an .onnx file"),
        (["tflite", "MODEL=tiny", "WEIGHTS=gone.pth"], "there is no WEIGHTS file gone.pth"),
        (["tflite", "MODEL=tiny other", "WEIGHTS=LICENSE"], "WEIGHTS are for one model, a .py file"),
        (["tflite", "MODEL=tiny", "INPUT_SHAPE=1,3"], "INPUT_SHAPE is for one model, a .pt or .onnx file"),
        (["new"], "say what to call it: make new NAME=my_model"),
        (["new", "NAME=a/b"], "a model's name is letters, digits and _.-, and not 'a/b'"),
        (["tflite", "RUNNER=lxc"], "there is no RUNNER 'lxc'; it is one of docker, podman, venv"),
        (["verify", "MODEL=tiny", "SAMPLES=abc"], "SAMPLES must be a whole number of 1 or more, not 'abc'"),
        (["verify", "MODEL=tiny", "SAMPLES=0"], "SAMPLES must be a whole number of 1 or more, not '0'"),
    ],
)
def test_a_bad_argument_is_an_error(checkout, arguments, message):
    done = make(checkout, *arguments)
    assert done.returncode == 2
    assert message in done.stderr


@SLOW
def test_the_articles_graph_has_a_folder_of_its_own(made):
    artifacts = [made / "build" / "tiny" / name for name in ("model.onnx", "model.pb", "model.tflite")]
    before = {path: path.stat().st_mtime_ns for path in artifacts}
    done = make(made, "verify", "MODEL=tiny", "GRAPH=article", "SAMPLES=5")
    assert done.returncode == 0, done.stderr
    assert (made / "build" / "article" / "tiny" / "report.json").exists()
    assert len(before) == 3
    assert {path: path.stat().st_mtime_ns for path in artifacts} == before
    assert make(made, "tflite", "MODEL=tiny", "GRAPH=article").stdout.strip().startswith("make: Nothing to be done")


@SLOW
def test_each_layout_has_a_folder_of_its_own_and_is_verified_as_what_it_is(made):
    artifact = made / "build" / "tiny" / "model.tflite"
    before = artifact.read_bytes()
    done = make(made, "verify", "MODEL=tiny", "LAYOUT=nhwc", "SAMPLES=5")
    assert done.returncode == 0, done.stderr
    assert (made / "build" / "nhwc" / "tiny" / "report.json").exists()
    assert artifact.read_bytes() == before
    assert make(made, "tflite", "MODEL=tiny").stdout.strip().startswith("make: Nothing to be done")


@SLOW
def test_going_between_the_two_tensorflows_makes_nothing_anew(made):
    first = make(made, "tflite", "MODEL=tiny", "TF=2.2")
    assert first.returncode == 0, first.stderr
    assert re.findall(r"^(\w+): (build/tf2.2/tiny/\S+)", first.stdout, re.MULTILINE) == [
        (stage, f"build/tf2.2/tiny/model.{suffix}") for stage, suffix in zip(STAGES, ("onnx", "pb", "tflite"))
    ]
    for tf in ("2.4", "2.2"):
        assert make(made, "tflite", "MODEL=tiny", f"TF={tf}").stdout == "make: Nothing to be done for 'tflite'.\n"
    with edited(made / "requirements" / "tf2.2.lock", "# a remark\n"):
        now = [planned(make(made, "-n", "tflite", "MODEL=tiny", f"TF={tf}")) for tf in ("2.4", "2.2")]
    assert now == [[], list(STAGES)]


@SLOW
def test_the_matrix_is_the_makefiles_too(made):
    before = (made / "build" / "tiny" / "model.tflite").read_bytes()
    done = make(made, "matrix", "MODEL=tiny", "SAMPLES=5")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [row.split() for row in done.stdout.splitlines()[1:-1]]
    assert [row[:5] for row in rows] == [["tiny", "1.5", tf, "venv", "passed"] for tf in ("2.4", "2.2")]
    assert (made / "build" / "tiny" / "model.tflite").read_bytes() == before
    assert make(made, "-n", "matrix", "TF=2.2 2.4", "MODEL=tiny").returncode == 0


@pytest.mark.parametrize(("tf", "code"), [("2.4", 2), ("2.2", 0)])
def test_an_image_has_the_tensorflow_that_it_holds(made, tf, code):
    done = run("make", "-n", "onnx", "MODEL=tiny", f"TF={tf}", cwd=str(made), env={"FERRY_TF": "2.2"})
    assert done.returncode == code
    assert ("this image holds TensorFlow 2.2; TF=2.4 has an image of its own" in done.stderr) == (code == 2)


def test_a_model_that_breaks_leaves_what_there_was(made):
    model, artifact = made / "models" / "tiny.py", made / "build" / "tiny" / "model.onnx"
    before, source = artifact.read_bytes(), model.read_text()
    try:
        model.write_text("raise ValueError('half an edit')")
        done = make(made, "tflite", "MODEL=tiny")
        assert done.returncode == 2
        assert "ValueError: half an edit" in done.stderr
        assert artifact.read_bytes() == before
    finally:
        model.write_text(source)


def test_what_a_stage_that_fails_has_written_is_not_published(made):
    stage, artifact = made / "scripts" / "export_onnx.py", made / "build" / "tiny" / "model.onnx"
    before, source = artifact.read_bytes(), stage.read_text()
    try:
        stage.write_text("import sys\nopen(sys.argv[-1].split('=')[1], 'w').write('half')\nsys.exit(1)\n")
        assert make(made, "onnx", "MODEL=tiny").returncode == 2
        assert artifact.read_bytes() == before
    finally:
        stage.write_text(source)


def test_a_build_folder_that_cannot_be_written_is_an_error(checkout):
    shutil.rmtree(str(checkout / "build"), ignore_errors=True)
    (checkout / "build").write_text("a file in its place")
    try:
        done = make(checkout, "tflite", "MODEL=tiny")
        assert done.returncode == 2
        assert "cannot make the folder build/.work: Not a directory" in done.stderr
        assert "Traceback" not in done.stderr
    finally:
        (checkout / "build").unlink()


@pytest.mark.parametrize("stop", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=SLOW)])
def test_an_interrupted_make_leaves_nothing_half_written(made, stop):
    model, build = made / "models" / "tiny.py", made / "build" / "tiny"
    before, source = (build / "model.onnx").read_bytes(), model.read_text()
    marker = made / "started"
    try:
        model.write_text(f"import time\nopen({str(marker)!r}, 'w').close()\ntime.sleep(60)\n")
        process = subprocess.Popen(
            ["make", "RUNNER=venv", "SANDBOX=none", "tflite", "MODEL=tiny"], cwd=str(made), stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, universal_newlines=True, start_new_session=True,
        )  # fmt: skip
        deadline = time.time() + 60
        while not marker.exists() and time.time() < deadline:
            time.sleep(0.05)
        # What a terminal does: the signal goes to make and to all it has started.
        os.killpg(process.pid, stop)
        output, _ = process.communicate(timeout=30)
        assert process.returncode != 0
        assert "Traceback" not in output
        assert "interrupted; nothing was left half-written" in output
        assert (build / "model.onnx").read_bytes() == before
        assert os.listdir(str(made / "build" / ".work")) == []
    finally:
        model.write_text(source)
        if marker.exists():
            marker.unlink()


@pytest.fixture()
def outside(tmp_path):
    """A model file far from the checkout, as ``write_model_outside`` writes it."""
    return write_model_outside(tmp_path)


@SLOW
def test_a_model_outside_is_made_anew_when_anything_it_read_changes(checkout, outside):
    folder = outside.parent
    arguments = ["verify", f"MODEL={outside}", "SAMPLES=5"]
    assert make(checkout, *arguments).returncode == 0
    assert stages_run(make(checkout, "tflite", f"MODEL={outside}")) == []
    for name in ("far.py", "helper.py", "level.txt"):
        with edited(folder / name, "\n"):
            assert planned(make(checkout, "-n", "tflite", f"MODEL={outside}")) == list(STAGES), name
    (folder / "level.txt").unlink()
    assert "No such file or directory: " in make(checkout, "tflite", f"MODEL={outside}").stderr


@SLOW
def test_the_matrix_takes_a_model_outside_with_weights(checkout, outside):
    weights = f"WEIGHTS={outside.parent}/elsewhere/w.pth"
    done = make(checkout, "matrix", "TF=2.4", f"MODEL={outside}", weights, "SAMPLES=5")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[1].split()[:5] == ["far", "1.5", "2.4", "venv", "passed"]


@SLOW
def test_other_weights_make_it_anew_and_the_check_has_the_same_ones(checkout, outside):
    weights = f"WEIGHTS={outside.parent}/elsewhere/w.pth"
    shutil.rmtree(str(checkout / "build"), ignore_errors=True)
    without = make(checkout, "tflite", f"MODEL={outside}")
    assert stages_run(without) == list(STAGES), without.stderr
    done = make(checkout, "verify", f"MODEL={outside}", weights, "SAMPLES=5")
    assert done.returncode == 0, done.stderr
    assert stages_run(done) == list(STAGES)
    assert stages_run(make(checkout, "tflite", f"MODEL={outside}", weights)) == []
    assert stages_run(make(checkout, "tflite", f"MODEL={outside}"))[0] == "export_onnx"


def test_a_model_that_is_onnx_already_is_converted(checkout, tmp_path):
    write_model(tmp_path / "m.py", "F.relu(self.c(x))", members="self.c = nn.Conv2d(3, 4, 3)")
    done = run_stage("export_onnx", "--model", tmp_path / "m.py", "--output", tmp_path / "ready.onnx")
    assert done.returncode == 0, done.stderr
    done = make(checkout, "tflite", f"ONNX={tmp_path}/ready.onnx")
    assert done.returncode == 0, done.stderr
    assert stages_run(done) == ["import_onnx", "onnx_to_tf", "tf_to_tflite"]


def test_new_writes_a_model_that_verifies_and_never_writes_over_one(checkout):
    assert make(checkout, "new", "NAME=fresh").returncode == 0
    done = make(checkout, "verify", "MODEL=fresh", "SAMPLES=5")
    assert done.returncode == 0, done.stderr
    (checkout / "models" / "fresh.py").write_text("mine")
    again = make(checkout, "new", "NAME=fresh")
    assert again.returncode == 2
    assert "models/fresh.py is there already" in again.stderr
    assert (checkout / "models" / "fresh.py").read_text() == "mine"


def test_clean_removes_what_was_built(made):
    assert make(made, "clean").returncode == 0
    assert not (made / "build").exists()


def test_a_quantized_file_is_made_beside_the_float_one_and_only_when_stale(made):
    build = made / "build" / "tiny"
    before = (build / "model.tflite").read_bytes()
    first = make(made, "tflite", "MODEL=tiny", "QUANT=float16")
    assert first.returncode == 0, first.stderr
    assert stages_run(first) == ["quantize"]
    assert (build / "model.float16.tflite").is_file()
    assert (build / "model.float16.json").is_file()
    assert (build / "model.tflite").read_bytes() == before
    assert stages_run(make(made, "tflite", "MODEL=tiny", "QUANT=float16")) == []
    assert planned(make(made, "-n", "build/tiny/model.float16.tflite")) == []
    assert planned(make(made, "-n", "build/tiny/model.dynamic.tflite")) == ["quantize_dynamic"]
    with edited(made / "scripts/ferry/tflite/quantize/record.py", "# a remark\n"):
        assert planned(make(made, "-n", "tflite", "MODEL=tiny", "QUANT=float16")) == ["quantize_float16"]
        assert planned(make(made, "-n", "tflite", "MODEL=tiny")) == []


@pytest.mark.parametrize(
    ("given", "message"),
    [(["QUANT=int4"], "there is no QUANT 'int4'"), (["QUANT=float16", "TF=2.2"], "quantizes with TensorFlow 2.4")],
)
def test_a_quant_that_there_is_none_of_is_one_clear_line(checkout, given, message):
    done = make(checkout, "tflite", "MODEL=tiny", *given)
    assert done.returncode != 0
    assert message in done.stderr
