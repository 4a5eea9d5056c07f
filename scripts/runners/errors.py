"""The error a runner ends with: one sentence for the user."""


class RunnerError(Exception):
    """What is missing or went wrong, and what to do about it."""
