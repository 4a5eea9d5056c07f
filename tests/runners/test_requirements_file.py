"""REQUIREMENTS is a list of packages of an index: what else pip takes there is refused by its line."""

import pytest

from runners import requirements_file
from runners.errors import RunnerError

pytestmark = pytest.mark.fast


@pytest.fixture()
def write(tmp_path):
    def written(text):
        path = tmp_path / "requirements.txt"
        path.write_text(text)
        return str(path)

    return written


def test_packages_with_comments_markers_and_hashes(write):
    marked = "foo[bar] >= 1, <2 ; python_version < '3.9'"
    found = requirements_file.read(write(f"# mine\ntimm==0.3.2  # old\n\n{marked}\nx==1 \\\n  --hash=sha256:00\n"))
    assert found.text == f"timm==0.3.2\n{marked}\nx==1 --hash=sha256:00\n"
    assert found.without_dependencies == ()


def test_a_package_can_be_taken_without_what_it_asks_for(write):
    found = requirements_file.read(write("Vit_PyTorch==0.6.7  # no-deps\neinops\n"))
    assert found.text == "Vit_PyTorch==0.6.7\neinops\n"
    assert found.without_dependencies == ("vit-pytorch",)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-r base.txt", "names another file; write its lines here"),
        ("--index-url=http://localhost", "is an option"),
        ("-e .", "is no package of an index"),
        ("./my_package", "is no package of an index"),
        ("pkg @ file:///etc/passwd", "is no package of an index"),
        ("git+ssh://host/x.git", "is no package of an index"),
        ("a b", "is no package of an index"),
    ],
)
def test_what_else_pip_takes_is_refused_by_its_line(write, line, said):
    with pytest.raises(RunnerError, match=f"line 2: .*{said}") as raised:
        requirements_file.read(write(f"timm\n{line}\n"))
    assert "\n" not in str(raised.value)


def test_a_file_that_is_not_there_or_no_text(tmp_path, write):
    with pytest.raises(RunnerError, match="cannot read REQUIREMENTS .*No such file"):
        requirements_file.read(str(tmp_path / "none.txt"))
    path = tmp_path / "requirements.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RunnerError, match="no text in UTF-8"):
        requirements_file.read(str(path))
