"""Which build of today's PyTorch is installed: the one for the CPU wherever it is found, else the index's own."""

import pytest

from runners import torch_build

pytestmark = pytest.mark.fast

LOCK = "sympy==1.14.0 \\\n    --hash=sha256:00\ntorch==2.13.0+cpu \\\n    --hash=sha256:01\n"


@pytest.fixture()
def found(tmp_path):
    """The variables with which a stand-in for uv, that finds what ``test`` says, is to install."""

    def ask(test, **variables):
        uv, lock = tmp_path / "uv", tmp_path / "lock"
        # The requirement is the last of its arguments.
        uv.write_text(f'#!/bin/sh\nfor last; do :; done\ngrep -qx "torch==2.13.0+cpu" "$last" && {test}\n')
        uv.chmod(0o755)
        lock.write_text(LOCK)
        return torch_build.variables_for_cpu(uv, "3.11", lock, {"PATH": "/usr/bin:/bin", **variables})

    return ask


def test_where_the_users_own_settings_find_it_nobody_else_is_asked(found):
    assert torch_build.BACKEND not in found('test "$UV_FIND_LINKS" = here', UV_FIND_LINKS="here")


def test_else_pytorchs_own_index_is_asked(found):
    assert found('test "$UV_TORCH_BACKEND" = cpu')[torch_build.BACKEND] == "cpu"


def test_the_users_own_backend_stays(found):
    assert found('test "$UV_TORCH_BACKEND" = auto', UV_TORCH_BACKEND="auto")[torch_build.BACKEND] == "auto"


def test_where_it_is_nowhere_there_is_none(found):
    assert found("false") is None
