"""What this machine has for Ferry, and what each finding means."""

import contextlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Tuple

from runners import choose, engines, package_folder, sandbox_probe, seen, variables, venv
from runners.errors import RunnerError
from runners.paths import ROOT

OLDEST_DRIVER = [450, 80, 2]
# Where Podman looks for descriptions of devices.
CDI = ("/etc/cdi", "/var/run/cdi")


class Finding(NamedTuple):
    """One line of the doctor's: what was looked at, what was found, what follows, and whether Ferry can work so."""

    subject: str
    found: str
    meaning: str
    fine: bool = True


def examine() -> int:
    """Print a line for each finding. The exit code is 1 if nothing here can run the stages."""
    findings = [look() for look in LOOKS]
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        print(f"{finding.subject:<{width}}  {finding.found}: {finding.meaning}")
    return 0 if all(finding.fine for finding in findings) else 1


def _processor() -> Finding:
    machine = f"{platform.machine()} {platform.system()}, {len(os.sched_getaffinity(0))} processors"
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        return Finding("machine", machine, "the pinned packages are for x86-64 Linux only", fine=False)
    flags: List[str] = []
    with contextlib.suppress(OSError):
        flags = Path("/proc/cpuinfo").read_text().split()
    has = [name for name in ("avx", "avx2", "fma") if name in flags]
    machine += f" with {', '.join(has).upper() or 'no AVX'}"
    if "avx" not in has:
        return Finding("machine", machine, "TensorFlow's wheels need AVX, and crash without", fine=False)
    return Finding("machine", machine, "the pinned packages run here")


def _python() -> Finding:
    found = f"{platform.python_version()} ({sys.executable})"
    return Finding("make's Python", found, "starts the runners; the stages use a Python 3.8 of their own")


def _engine(name: str) -> Callable[[], Finding]:
    def look() -> Finding:
        answer = engines.ask(name)
        if isinstance(answer, engines.Engine):
            kind = "rootless" if answer.rootless else "run by root"
            said = engines.info(name)
            return Finding(
                name, f"{answer.version}, {kind}", f"RUNNER={name} works{_images_room(said)}{_gpu_in(name, said)}"
            )
        if answer.trouble is None:
            return Finding(name, "none", engines.NOT_THERE[name])
        return Finding(name, "there, but fails", answer.trouble)

    return look


def _runner() -> Finding:
    runner, reason = choose.choose("")
    return Finding("RUNNER unset", runner, reason)


def _environment(asked_for: str, environment: venv.Environment) -> Callable[[], Finding]:
    def look() -> Finding:
        if environment.is_ready():
            lock = environment.filled_from().relative_to(ROOT)
            return Finding(f"venv, {asked_for}", "ready", f"the environment is made, and fits {lock}")
        lock = environment.lock.relative_to(ROOT)
        return Finding(f"venv, {asked_for}", "not made yet", f"the first stage that runs there makes it from {lock}")

    return look


def _packages() -> Finding:
    given = variables.read()["REQUIREMENTS"]
    if not given:
        sets = [path for path in package_folder.FOLDER.glob("*") if path.suffix != ".partial"]
        return Finding("REQUIREMENTS unset", f"{len(sets)} sets of packages", f"in {package_folder.FOLDER}")
    try:
        folder = package_folder.of(venv.TF24, seen.from_the_root(given))
    except RunnerError as error:
        return Finding("REQUIREMENTS", given, str(error), fine=False)
    if folder.is_dir():
        return Finding("REQUIREMENTS", given, f"its packages are in {folder.relative_to(ROOT)}, for RUNNER=venv")
    return Finding("REQUIREMENTS", given, "the first stage that imports the model file installs its packages")


def _sandbox() -> Finding:
    answer = sandbox_probe.ask()
    if isinstance(answer, sandbox_probe.Works):
        found = sandbox_probe.version(answer.command)
        return Finding("sandbox", found, "with RUNNER=venv a stage has no network, no home, and one folder to write to")
    return Finding("sandbox", "none", f"with RUNNER=venv a model file can do what you can: {answer.trouble}")


def _room() -> Finding:
    free = shutil.disk_usage(str(ROOT)).free // 10**6
    enough = venv.TF24.is_ready() or free > venv.TF24.disk_mb
    takes = " or ".join(f"{made.disk_mb / 1000:.1f} GB (TF={tf})" for tf, made in venv.BY_TENSORFLOW.items())
    need = f"an environment takes {takes}, an image about as much where the engine keeps them"
    return Finding("disk", f"{free / 1000:.1f} GB free beside the checkout", need, fine=enough)


def _images_room(said: Dict[str, Any]) -> str:
    folder = said.get("DockerRootDir") or said.get("store", {}).get("graphRoot", "")
    if not os.path.isdir(folder):
        # The engine is another machine's, or keeps its images from this user.
        return ""
    return f"; {shutil.disk_usage(folder).free / 1e9:.1f} GB free for its images"


def _gpu_in(name: str, said: Dict[str, Any]) -> str:
    if not _nvidia()[0]:
        return ""
    described = [path for folder in CDI for path in Path(folder).glob("*") if path.suffix in (".yaml", ".json")]
    has = "nvidia" in said.get("Runtimes", {}) if name == "docker" else bool(described)
    return "; it can give a container the GPU" if has else "; it shows no sign of the NVIDIA Container Toolkit"


def _gpu() -> Finding:
    cpu = "every stage runs on the CPU, and what is converted does not depend on a GPU"
    name, driver = _nvidia()
    if not name:
        return Finding("GPU", "none that nvidia-smi shows", cpu)
    found = f"{name}, driver {driver}"
    parts = [int(part) for part in driver.split(".") if part.isdigit()]
    if parts < OLDEST_DRIVER:
        return Finding("GPU", found, f"CUDA 11 needs driver 450.80.02 or newer, so {cpu}")
    use = "DEVICE=gpu lets `make verify` run TensorFlow on it, in the image of Dockerfile.gpu"
    return Finding("GPU", found, f"{use}; the stages that convert run on the CPU, and so does PyTorch")


def _nvidia() -> Tuple[str, str]:
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        asked = subprocess.run(query, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20, check=True)
        first = asked.stdout.decode(errors="replace").strip().splitlines()[:1]
        if first:
            name, _, driver = first[0].partition(", ")
            return name, driver
    return "", ""


LOOKS = (
    _processor,
    _python,
    _engine("docker"),
    _engine("podman"),
    _runner,
    *(_environment(f"TF={tf}", made) for tf, made in venv.BY_TENSORFLOW.items()),
    _environment("TORCH=2", venv.TORCH2),
    _packages,
    _sandbox,
    _room,
    _gpu,
)
