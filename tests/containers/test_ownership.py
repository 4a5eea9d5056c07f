"""What a container leaves in build/ belongs to whoever ran make."""

import os
import shutil
import stat

import pytest

from programs import run

pytestmark = pytest.mark.slow

SOMEONE = 4242


def test_the_files_are_the_callers(engine, image, checkout):
    build = checkout / "build"
    shutil.rmtree(str(build), ignore_errors=True)
    make = ["make", "onnx", f"RUNNER={engine.name}"]
    caller = os.getuid(), os.getgid()
    if os.getuid() == 0 and engine.name == "docker":
        # Root's own files prove nothing: someone else who may use the engine runs it.
        caller = SOMEONE, SOMEONE
        build.mkdir()
        os.chown(str(build), *caller)
        socket = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
        if not socket.startswith("unix://") or not shutil.which("setpriv"):
            pytest.skip("as root this needs setpriv and the engine's socket on this machine")
        group = os.stat(socket[len("unix://") :]).st_gid
        make = ["setpriv", f"--reuid={SOMEONE}", f"--regid={SOMEONE}", f"--groups={group}", *make]
    try:
        done = run(*make, cwd=str(checkout), env={"HOME": str(checkout)})
        assert done.returncode == 0, done.stderr
        made = list(build.rglob("*"))
        assert any(entry.name == "model.onnx" for entry in made)
        assert {(entry.stat().st_uid, entry.stat().st_gid) for entry in made} == {caller}
        assert all(entry.stat().st_mode & stat.S_IWUSR for entry in made)
    finally:
        shutil.rmtree(str(build), ignore_errors=True)
