"""Are the steps of a quantized file those that its tensors' ranges, as Ferry measured them, ask for?"""

from typing import Optional

import numpy as np

from ferry.verify.quantized import ideal
from ferry.verify.quantized.network import Network, Operator, Tensor
from ferry.verify.quantized.ranges import Range, TensorRanges

# The steps may be so much wider than what was measured needs, and narrower by this share of the range and one step.
WIDER_LIMIT, NARROWER_LIMIT = 1.5, 0.03
# The same where the ranges are those of other inputs than the file was calibrated on: these vary by as much.
WIDER_ELSEWHERE = 4.0


class RangeCheck:
    """The steps in ``network`` held against ``ranges``, which are ``calibrated`` if of the calibration inputs."""

    def __init__(self, network: Network, ranges: TensorRanges, calibrated: bool = True):
        self._network, self._ranges, self._calibrated = network, ranges, calibrated

    def fault(self, operator: Operator) -> Optional[str]:
        """What is wrong with the steps of the outputs of ``operator``."""
        faults = (self._of_output(tensor) for tensor in operator.outputs)
        return next((fault for fault in faults if fault), None)

    def _of_output(self, tensor: int) -> Optional[str]:
        held = self._network.tensors[tensor]
        if not held.quantized or held.steps is None:
            return None
        if len(held.steps.scale) > 1:
            return "its output has a step for each channel, which no kernel heeds"
        low, high = ideal.held_range(held.steps, held.dtype)
        fixed = self._ranges.fixed(tensor)
        if fixed is not None:
            wanted = ideal.held_range(fixed, held.dtype)
            if np.allclose([low, high], wanted, rtol=1e-5, atol=1e-9):
                return None
            return f"its output's range is {_span(low, high)}; TFLite's kernel has {_span(*wanted)}"
        own, shared = self._ranges.own(tensor), self._ranges.shared(tensor)
        if own is None or shared is None:
            return None
        return self._clipped(held, own) or self._too_wide(held, shared)

    def _clipped(self, held: Tensor, own: Range) -> Optional[str]:
        assert held.steps is not None
        low, high = ideal.held_range(held.steps, held.dtype)
        width, step = max(own[1], 0.0) - min(own[0], 0.0), float(held.steps.scale[0])
        slack = NARROWER_LIMIT * width + step
        # Of other inputs some may be larger than any in the calibration: that is a cost, and no fault.
        if not self._calibrated or (own[0] >= low - slack and own[1] <= high + slack):
            return None
        return f"its output is clipped: the steps hold {_span(low, high)}, and {_span(*own)} was measured"

    def _too_wide(self, held: Tensor, shared: Range) -> Optional[str]:
        assert held.steps is not None
        low, high = ideal.held_range(held.steps, held.dtype)
        wanted = ideal.held_range(ideal.steps_of(shared[0], shared[1], held.dtype), held.dtype)
        times = (high - low) / (wanted[1] - wanted[0])
        if times <= (WIDER_LIMIT if self._calibrated else WIDER_ELSEWHERE):
            return None
        return f"its output's steps are {times:.1f} times as wide as {_span(*shared)}, which was measured, needs"


def _span(low: float, high: float) -> str:
    return f"{low:.4g} to {high:.4g}"
