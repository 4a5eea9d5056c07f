"""What came of the correct networks and of the planted faults, as a page."""

from typing import List, NamedTuple

from develop.detection.planted import Trial, by_kind

TOP = """# Verification as a detector

Made by `make detect`. No correct model may fail, and no fault may pass whose piece is off by more than {limit:.0e} of
its scale anywhere on the probes.

"""
LIMIT = 1e-5


class Correct(NamedTuple):
    """A correct network, verified ``runs`` times, and how often it failed."""

    network: str
    runs: int
    failed: int


def misses(trials: List[Trial]) -> List[Trial]:
    """The faults that were not caught and may be off by more than ``LIMIT``."""
    return [trial for trial in trials if not trial.caught and (trial.share is None or trial.share > LIMIT)]


def as_markdown(correct: List[Correct], how: str, trials: List[Trial]) -> str:
    """The page. ``how`` says with how many samples and seeds the correct networks were verified."""
    runs, failed = sum(each.runs for each in correct), sum(each.failed for each in correct)
    lines = [TOP.format(limit=LIMIT)]
    lines.append(f"## Correct networks: {failed} of {runs} verifications failed\n\nEach is verified {how}.\n\n")
    lines.append("| network | verifications | failed |\n| --- | --- | --- |\n")
    lines += [f"| {each.network} | {each.runs} | {each.failed} |\n" for each in correct]
    caught, missed = sum(trial.caught for trial in trials), misses(trials)
    networks = sorted({trial.network for trial in trials})
    lines.append(f"\n## Faults: {caught} of {len(trials)} caught, {len(missed)} missed\n\n")
    lines.append(
        f"Planted in {', '.join(networks)}: in `model.onnx`, `model.pb` and `model.tflite`. *Smallest caught* is by "
        "how much of its scale the piece is off. *Unreached* are those caught that the input itself does not show. "
        f"What is neither caught nor missed is off by less than {LIMIT:.0e}.\n\n"
    )
    lines.append("| fault | planted | caught | unreached | smallest caught | missed |\n| --- " + "| --- " * 5 + "|\n")
    for kind in by_kind(trials):
        found = [trial for trial in kind if trial.caught]
        shares = [trial.share for trial in found if trial.share is not None]
        smallest = f"{min(shares):.1e}" if shares else "-"
        unreached = sum(not trial.reached for trial in found)
        row = [kind[0].kind, len(kind), len(found), unreached, smallest, len(misses(kind))]
        lines.append("| " + " | ".join(str(cell) for cell in row) + " |\n")
    for trial in missed:
        why = f": {trial.why}" if trial.why else ""
        lines.append(f"\nMissed: {trial.kind} in the {trial.stage} stage of {trial.network}{why}\n")
    return "".join(lines)
