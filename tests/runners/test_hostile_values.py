"""Nothing that a user or a stage says is run: not by make, and not by a shell."""

import shutil

import pytest

from programs import KEPT_OUT, ROOT, run
from runners import model_names, records, stages, variables
from runners.errors import RunnerError

pytestmark = pytest.mark.fast

PAYLOADS = ['"; touch x; "', "`touch x`", "$(touch x)", "'; touch x; '", "$(shell touch x)", "a\ntouch x\n"]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile") / "ferry"
    shutil.copytree(str(ROOT), str(folder), ignore=KEPT_OUT)
    return folder


@pytest.mark.parametrize("goal", ["new", "-ntflite", "-nverify"])
@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_variable_is_run_by_make_or_by_a_shell(checkout, goal, payload):
    # All at once: each would be as it is by itself, and one that stops make early hides no other from its parsing.
    names = [variable.name for variable in variables.TABLE]
    goals = ["-n", goal[2:]] if goal.startswith("-n") else [goal]
    run("make", *goals, *(f"{name}={payload}" for name in names), cwd=str(checkout))
    for name in names:
        run("make", "-n", "verify", f"{name}={payload}", cwd=str(checkout))
    assert not (checkout / "x").exists()


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nor_is_one_of_the_environment(checkout, payload):
    everything = {variable.name: payload for variable in variables.TABLE}
    run("make", "-n", "verify", env=everything, cwd=str(checkout))
    run("make", "help", env=everything, cwd=str(checkout))
    assert not (checkout / "x").exists()


def test_what_is_generic_is_not_taken_from_the_environment():
    read = variables.read({"NAME": "theirs", "INPUTS": "theirs", "MODEL": "theirs", "RUNNER": "venv"})
    assert (read["NAME"], read["INPUTS"], read["MODEL"], read["RUNNER"]) == ("", "", "mobilenet_v2", "venv")
    assert variables.read({"NAME": "mine", "FERRY_GIVEN": "NAME"})["NAME"] == "mine"


def test_clean_and_help_do_not_look_at_what_they_have_no_use_for(checkout):
    for goal in ("clean", "help"):
        assert run("make", goal, "RUNNER=foo", "TF=9", cwd=str(checkout)).returncode == 0


@pytest.mark.parametrize("letter", list("*?[ ;$#`'\"%:\\|&<>"))
def test_a_letter_that_no_name_can_have_is_named(letter):
    with pytest.raises(RunnerError) as refused:
        model_names.name_of(f"a folder; with $(any)/a{letter}b.py")
    assert repr(letter) in str(refused.value)


@pytest.mark.parametrize("name", ["größe", "модель", "模型", "नमूना", "m-1.5_a+b"])
def test_letters_of_any_script_can_be_in_a_name(name):
    assert model_names.name_of(f"it's a `folder`/{name}.py") == name


@pytest.mark.parametrize("name", [*stages.TAKEN, ".work", ".made", "-x"])
def test_a_name_that_ferry_uses_is_refused(name):
    with pytest.raises(RunnerError):
        model_names.name_of(f"models/{name}.py")


@pytest.mark.parametrize(
    "data",
    [
        b"", b"{}", b"[" * 100_000, b"\xff", b'{"files": [], "sources": []}', b'{"files": {}, "sources": [1]}',
        b'{"files": {}, "sources": ["scripts/../x.py"]}', b'{"files": {"a": 1}, "sources": []}',
        b'{"files": {"a": {"sha256": 1, "looks": []}}, "sources": []}',
        b'{"files": {"a\\u0000": {"sha256": "", "looks": []}}, "sources": []}',
    ],
)  # fmt: skip
def test_what_a_stage_says_it_has_read_is_data(data):
    assert records.read_report(data) is None
