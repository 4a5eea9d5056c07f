"""What uv says of packages that do not fit becomes one line that names both; what it resolves is recorded whole."""

import json
import os
from pathlib import Path

import pytest

from runners import resolve
from runners.errors import RunnerError
from runners.requirements_file import Requirements

pytestmark = pytest.mark.fast

PINS = {"torch": "1.5.1", "numpy": "1.19.2"}
# It resolves to two packages, of which one has no wheel, installs them, and notes what it was called with.
UV = """\
#!/bin/sh
echo "$@" >>"$NOTES"
cp "$UV_CONFIG_FILE" "$NOTES.toml"
case "$*" in
*--only-binary*) grep -q sourced "$8" && exit 1; exit 0 ;;
"pip compile"*) cat "$LOCKED" ;;
"pip install"*) touch "$4/einops.py" ;;
esac
"""


LOCKED = """\
einops==0.3.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
sourced==1.0 \\
    --hash=sha256:cc
"""


@pytest.fixture()
def tools(tmp_path):
    uv, lock = tmp_path / "uv", tmp_path / "requirements.lock"
    uv.write_text(UV)
    uv.chmod(0o755)
    lock.write_text("".join(f"{name}=={version} \\\n    --hash=sha256:dd\n" for name, version in PINS.items()))
    (tmp_path / "locked").write_text(LOCKED)
    variables = {**os.environ, "NOTES": str(tmp_path / "notes"), "LOCKED": str(tmp_path / "locked")}
    return resolve.Tools(str(uv), variables, "python", lock)


def test_what_the_lock_lacks_is_installed_and_recorded_with_its_hashes(tools, tmp_path, capfd):
    into = tmp_path / "made"
    into.mkdir()
    resolve.install(tools, "r.txt", Requirements("einops\nsourced\n", ("sourced",)), into)
    assert json.loads((into / resolve.RECORD).read_text()) == [
        {"name": "einops", "version": "0.3.0", "hashes": ["sha256:aa", "sha256:bb"], "built_from_source": False},
        {"name": "sourced", "version": "1.0", "hashes": ["sha256:cc"], "built_from_source": True},
    ]
    assert os.listdir(into / resolve.SITE) == ["einops.py"]
    assert "no wheel of sourced 1.0: built from source" in capfd.readouterr().err
    asked = (tmp_path / "notes").read_text().splitlines()
    assert "--no-emit-package torch" in asked[0]
    assert "--require-hashes --no-deps" in asked[-1]
    stated = Path(f"{tmp_path}/notes.toml").read_text()
    assert 'name = "torch"\nversion = "1.5.1"\nrequires-dist = []' in stated
    assert 'name = "sourced"\nrequires-dist = []' in stated


def test_a_package_that_needs_another_version_than_the_lock_has():
    said = (
        "error: No solution found when resolving dependencies\n  cause: Because x-transformers==0.5.1 depends on "
        "torch>=1.6 and torch==1.5.1, we can conclude that x-transformers==0.5.1 cannot be used.\n         And because "
        "you require x-transformers==0.5.1, we can conclude that your requirements are unsatisfiable.\n"
    )
    found = resolve.explain(said, PINS, "requirements.lock")
    assert found.startswith(
        "x-transformers==0.5.1 needs torch>=1.6, and requirements.lock has torch==1.5.1, which stays"
    )
    assert "# no-deps" in found


def test_a_line_that_asks_for_another_version_than_the_lock_has():
    said = (
        "error: No solution found when resolving dependencies\n  cause: Because you require numpy==1.21 and "
        "numpy==1.19.2, we can conclude that your requirements are unsatisfiable.\n"
    )
    found = resolve.explain(said, PINS, "requirements.lock")
    assert found == "it asks for numpy==1.21, and requirements.lock has numpy==1.19.2, which stays; leave that line out"


def test_what_is_not_there_and_what_does_not_build():
    said = (
        "error: No solution found\n  cause: Because there is no version of timm==99 and you require timm==99, we can\n"
    )
    assert "there is no version of timm==99" in resolve.explain(said, PINS, "requirements.lock")
    said = "error: Failed to build `sklearn==0.0`\n  cause: The build backend returned an error\n   use scikit-learn\n"
    found = resolve.explain(said, PINS, "requirements.lock")
    assert (
        found == "sklearn==0.0 has no wheel for this Python, and its source does not build by itself: use scikit-learn"
    )


def test_what_fails_names_the_file(tools, tmp_path):
    Path(tools.uv).write_text("#!/bin/sh\necho 'error: the index does not answer' >&2\nexit 2\n")
    with pytest.raises(RunnerError, match="REQUIREMENTS r.txt: the index does not answer"):
        resolve.install(tools, "r.txt", Requirements("einops\n", ()), tmp_path)
