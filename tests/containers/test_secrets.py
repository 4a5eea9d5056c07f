"""What a build is told behind a company's walls is used, and is in no layer of the image and not in its history."""

import shutil
import subprocess
import time
from pathlib import Path

import pytest

from programs import run
from runners import build_secrets, uv

pytestmark = pytest.mark.slow

MARK = "mark-of-a-secret-7f3a9"
PYPI = "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"


def index_with_a_password():
    # uv was installed by a pip of its own; not every other Python has one.
    uv.ensure()
    asked = subprocess.run([str(uv.HOME / "bin" / "python"), "-c", PYPI], stdout=subprocess.PIPE, check=True, text=True)
    return asked.stdout.strip().replace("://", f"://someone:{MARK}@")


def debian_mirror_with_a_password():
    asked = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)"], stdout=subprocess.PIPE, text=True)
    return asked.stdout.split()[0].replace("://", f"://someone:{MARK}@")


def certificates(folder):
    path = folder / "company.crt"
    path.write_text(f"# {MARK}\n" + Path(build_secrets._certificates()).read_text())
    return path


def saved(client, name):
    """All that there is of an image: every layer, those whose files a later one deletes too, and its settings."""
    return b"".join(client.images.get(name).save())


# How many steps of each Dockerfile are given the secrets.
@pytest.mark.parametrize(("device", "steps"), [("cpu", 2), ("gpu", 3)])
def test_certificates_mirrors_and_proxies_leave_no_trace(engine, client, small_checkout, tmp_path, device, steps):
    env = {"PIP_INDEX_URL": index_with_a_password(), "UV_DEFAULT_INDEX": "", "NO_PROXY": f"{MARK}.invalid"}
    env["SSL_CERT_FILE"] = str(certificates(tmp_path))
    seen = {"ca_certificates", "index_url"}
    if shutil.which("apt-get"):
        env["DEBIAN_MIRROR"] = debian_mirror_with_a_password()
        seen.add("debian_mirror")
    # A layer that the engine has built before asks for no secret: these are new, and show what they were given.
    for name in ("install_make.sh", "install_packages.sh"):
        script = small_checkout / "scripts" / "image" / name
        shown = f"# {time.time_ns()}\necho proxy: ${{NO_PROXY%.*}}; grep -c mark-of-a /run/secrets/*\n"
        script.write_text(script.read_text() + shown)
    verb = ["make", "image", f"DEVICE={device}", f"RUNNER={engine.name}"]
    done = run(*verb, "VERBOSE=1", cwd=str(small_checkout), env=env)
    assert done.returncode == 0, done.stderr
    log = done.stderr + done.stdout
    for name in seen:
        assert log.count(f"/run/secrets/{name}:1") == steps, log
    assert log.count(f"proxy: {MARK}") == steps, log
    name = done.stdout.strip().splitlines()[-1]
    everything = saved(client, name)
    assert len(everything) > 10**7
    assert MARK.encode() not in everything


def test_the_search_would_find_one(engine, client, small_checkout):
    (small_checkout / "Makefile").write_text(f"# {MARK}\n" + (small_checkout / "Makefile").read_text())
    done = run("make", "image", f"RUNNER={engine.name}", cwd=str(small_checkout))
    assert done.returncode == 0, done.stderr
    assert MARK.encode() in saved(client, done.stdout.strip())
