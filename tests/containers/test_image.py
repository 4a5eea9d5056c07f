"""What is in the image, what is not, and what it does on its own."""

import re

import docker
import pytest

from image_contents import check_settings, installed, pinned, started, unwanted
from programs import run

pytestmark = pytest.mark.slow


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
    check_settings(client, image)


def test_no_compiler_cache_or_installer_is_left_in_it(client, image):
    assert unwanted(client, image) == ""


def test_it_holds_what_the_lock_names_and_nothing_more(client, image):
    assert installed(client, image) == pinned("requirements.lock")


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
