"""What is in the image, what is not, and what it does on its own."""

import re

import docker
import pytest

from programs import ROOT, run

# What a build needs and an image does not: compilers, uv, and the caches of all that was run.
UNWANTED = r"""
import os, re, shutil
for program in ("cc", "gcc", "g++", "clang", "uv"):
    if shutil.which(program):
        print(program)
for parent, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if os.path.join(parent, name) not in ("/proc", "/sys", "/dev")]
    inside = parent.split(os.sep)
    if {".cache", "pip-cache", "cache"} & set(inside[:4]) - {""} and files and "/var/cache/debconf" not in parent:
        print(parent, files[:3])
    if parent == "/var/lib/apt/lists" and files or re.match("/opt/install", parent):
        print(parent, files[:3])
    for name in files:
        if name.endswith((".whl", ".deb")) and "ensurepip" not in parent:
            print(os.path.join(parent, name))
"""

INSTALLED = """
from importlib import metadata
for package in metadata.distributions():
    print(package.metadata["Name"] + "==" + package.version)
"""


def one_spelling(pin):
    return re.sub(r"[-_.]+", "-", pin).lower()


def started(client, image, *arguments, **options):
    # Podman's service may ask for more files and processes than the machine allows it.
    limits = [docker.types.Ulimit(name=name, soft=1024, hard=1024) for name in ("nofile", "nproc")]
    command = list(arguments)
    return client.containers.run(image, command, remove=True, network_mode="none", ulimits=limits, **options).decode()


def test_with_no_argument_it_prints_the_help(client, image):
    printed = started(client, image)
    for verb in ("tflite", "verify"):
        assert re.search(rf"^  make {verb} +\S", printed, re.MULTILINE)


def test_it_converts_and_verifies_without_a_checkout(client, image):
    printed = started(client, image, "verify", "SAMPLES=5", "MODEL=mobilenet_v2")
    assert re.search(r"^tf_to_tflite: build/mobilenet_v2/model.tflite \(.*no Flex\)", printed, re.MULTILINE)
    assert "verify: passed: 5 inputs" in printed


def test_it_does_so_as_any_user_with_nothing_but_build_writable(client, image):
    options = {"user": "4242:4242", "cap_drop": ["ALL"], "read_only": True, "tmpfs": {"/ferry/build": "mode=1777"}}
    assert "model.onnx" in started(client, image, "onnx", **options)


def test_a_checkouts_verbs_say_that_they_need_one(client, image):
    with pytest.raises(docker.errors.ContainerError, match="this needs a checkout of Ferry"):
        started(client, image, "lock", stderr=True)


def test_its_settings(client, image):
    config = client.images.get(image).attrs["Config"]
    assert config["User"] not in ("", "root", "0", "0:0")
    assert config["Entrypoint"] == ["make", "RUNNER=image"]
    assert not config.get("Healthcheck")
    assert not config.get("Volumes")
    labels = {name.rsplit(".", 1)[-1]: value for name, value in config["Labels"].items() if "opencontainers" in name}
    assert set(labels) >= {"title", "description", "licenses"}
    assert labels["licenses"] == "Apache-2.0"


def test_no_compiler_cache_or_installer_is_left_in_it(client, image):
    assert started(client, image, "-c", UNWANTED, entrypoint="python", user="0:0") == ""


def test_it_holds_what_the_lock_names_and_nothing_more(client, image):
    installed = started(client, image, "-c", INSTALLED, entrypoint="python").split()
    pinned = re.findall(r"^([a-z0-9][^ ]*==\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert sorted(map(one_spelling, installed)) == sorted(map(one_spelling, pinned))


def test_a_changed_script_replaces_the_last_layers_only(engine, client, image, checkout):
    before = client.images.get(image).attrs["RootFS"]["Layers"]
    script = checkout / "scripts" / "tf_to_tflite.py"
    source = script.read_text()
    try:
        script.write_text(source + "# changed\n")
        done = run("make", "image", f"RUNNER={engine.name}", cwd=str(checkout))
        assert done.returncode == 0, done.stderr
        changed = done.stdout.strip()
        assert changed != image
        after = client.images.get(changed).attrs["RootFS"]["Layers"]
        assert len(after) == len(before)
        same = sum(old == new for old, new in zip(before, after))
        # The scripts' own layer, the one that sets their modes, and where the engine makes one, that of USER.
        assert len(before) - 3 <= same < len(before)
    finally:
        script.write_text(source)
        run("make", "image", f"RUNNER={engine.name}", cwd=str(checkout))


def test_an_image_that_is_there_is_not_built_again(engine, client, image, checkout):
    made = client.images.get(image).id
    done = run("make", "image", f"RUNNER={engine.name}", cwd=str(checkout))
    assert done.stdout.strip() == image
    assert "building" not in done.stderr
    assert client.images.get(image).id == made
