"""What a proof of a quantized file found, typed: docs/report.schema.json describes the fields one by one."""

from dataclasses import dataclass
from typing import List, Optional


@dataclass(frozen=True)
class OperatorFidelity:
    """One operator of the quantized file.

    ``ratio`` is its error over that of an ideal quantizer, ``channel_ratio`` the worst channel's; ``weights_ratio`` is
    the constants' error over what rounding costs, ``bias_ratio`` the bias's over what it may be off by. ``measured``
    and ``held`` are the range of its output by Ferry's measure, and what the file's steps can hold. ``saturated`` is
    the share of values beyond that. ``matched`` says whether the float file has this operator; ``unjudged`` why it is
    judged by the outputs alone.
    """

    name: str
    operator: str
    position: int
    matched: bool
    ratio: Optional[float] = None
    channel: Optional[int] = None
    channel_ratio: Optional[float] = None
    weights_ratio: Optional[float] = None
    bias_ratio: Optional[float] = None
    measured: Optional[List[float]] = None
    held: Optional[List[float]] = None
    saturated: Optional[float] = None
    fault: Optional[str] = None
    unjudged: Optional[str] = None
