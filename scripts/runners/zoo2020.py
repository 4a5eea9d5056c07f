"""A zoo whose models may be refused: all of them converted and verified one after the other, and their table."""

import json
import os
import time
from typing import Any, Dict, Optional

from runners import captured, digests, plan, records, run_stage, stages
from runners.digests import Known
from runners.errors import RunnerError
from runners.paths import ROOT
from runners.stages import Job

NAME = "zoo2020"
TODAY = "zoo_today"
REFUSED = "refused.json"


def run(runner: str, zoo: str = NAME) -> int:
    """Print a line for each model of ``models/ZOO/`` as it ends, and write the zoo's page below docs/.

    The exit code is that of the table's program.

    One that was verified before, of the same files, is not verified again.

    Raises:
        RunnerError: there are no models, or the table cannot be written.
    """
    jobs = plan.jobs([], of_variables=True, zoo=zoo)
    if not jobs:
        raise RunnerError(f"models/{zoo}/ holds no models")
    refused: Dict[str, str] = {}
    for job in jobs:
        name, started = job.models[0].name, time.monotonic()
        trouble = _converted_and_verified(job, runner)
        if trouble:
            refused[name] = trouble
        print(f"{name}: {trouble or 'verified'} ({time.monotonic() - started:.0f} s)", flush=True)
    (ROOT / jobs[0].build / REFUSED).write_text(json.dumps(refused, indent=2, sort_keys=True) + "\n")
    of_all = jobs[0]._replace(models=tuple(job.models[0] for job in jobs))
    return run_stage.run(stages.BY_NAME[f"{zoo}_table"], of_all, runner)


def _converted_and_verified(job: Job, runner: str) -> Optional[str]:
    """Why the model has no verified file; None where it has one."""
    for stage in stages.conversion(job.models[0].source):
        if records.is_stale(stage, job, Known()):
            code, said = captured.run(stage, job, run_stage.run, runner)
            if code:
                return captured.trouble(stage, code, said)
    if not _was_verified(job):
        verify = stages.BY_NAME["verify"]
        code, said = captured.run(verify, job, run_stage.run, runner)
        if code:
            return captured.trouble(verify, code, said)
    return None


def _was_verified(job: Job) -> bool:
    """Whether the last report is of the files that are there, and all of them passed."""
    folder = ROOT / job.reads_from
    try:
        report: Dict[str, Any] = json.loads((folder / "report.json").read_text())
        made = {each["artifact"]["path"]: each["artifact"]["sha256"] for each in report["stages"].values()}
        passed, samples = report["passed"], report["samples"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    there = {path: digests.of_file(str(folder / os.path.basename(path))) for path in made}
    same = all(found is not None and found.sha256 == made[path] for path, found in there.items())
    return bool(passed) and same and bool(made) and samples >= int(job.values["SAMPLES"])
