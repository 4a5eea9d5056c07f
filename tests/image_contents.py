"""What is in an image, as far as a container of it can say."""

import re
from typing import List

import docker

from programs import ROOT

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


def started(client, image, *arguments, **options) -> str:
    """What a container of ``image`` prints, with no network."""
    # Podman's service may ask for more files and processes than the machine allows it.
    limits = [docker.types.Ulimit(name=name, soft=1024, hard=1024) for name in ("nofile", "nproc")]
    command = list(arguments)
    return client.containers.run(image, command, remove=True, network_mode="none", ulimits=limits, **options).decode()


def unwanted(client, image) -> str:
    """What a build needed and the image still has, one a line."""
    return started(client, image, "-c", UNWANTED, entrypoint="python", user="0:0")


def installed(client, image) -> List[str]:
    """The pins of the packages in the image, sorted and in one spelling."""
    return sorted(map(_one_spelling, started(client, image, "-c", INSTALLED, entrypoint="python").split()))


def pinned(lock: str) -> List[str]:
    """The pins of a lock file, likewise."""
    return sorted(map(_one_spelling, re.findall(r"^([a-z0-9][^ ]*==\S+)", (ROOT / lock).read_text(), re.MULTILINE)))


def check_settings(client, image) -> None:
    """Assert that the image starts make, as somebody other than root, and says what it is."""
    config = client.images.get(image).attrs["Config"]
    assert config["User"] not in ("", "root", "0", "0:0")
    assert config["Entrypoint"] == ["make", "RUNNER=image"]
    assert not config.get("Healthcheck")
    assert not config.get("Volumes")
    labels = {name.rsplit(".", 1)[-1]: value for name, value in config["Labels"].items() if "opencontainers" in name}
    assert set(labels) >= {"title", "description", "licenses"}
    assert labels["licenses"] == "Apache-2.0"


def _one_spelling(pin):
    return re.sub(r"[-_.]+", "-", pin).lower()
