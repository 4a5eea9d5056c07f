"""Correct quantized files, whose every operator does what its steps say, and planted faults, found and named."""

import numpy as np
import pytest
import quantized_files

from develop.detection import quantized_faults
from ferry.errors import InputFileError
from ferry.tflite.quantize import int8_model
from ferry.tflite.quantize.skip import Skip
from ferry.verify.quantized import counterparts, ranges
from ferry.verify.quantized.fidelity import Fidelity
from ferry.verify.quantized.network import Network


class Made:
    """The files of one network, and what its float file gives for the calibration inputs."""

    def __init__(self, name):
        function, self.shape = quantized_files.NETWORKS[name]
        self.calibration = quantized_files.drawn(self.shape, seed=1)
        self.files = quantized_files.by_function(function, self.shape, self.calibration)
        self.floating = Network(self.files["float"])
        self.known = ranges.measured(self.floating, ([each] for each in self.calibration))

    def check(self, data, chosen=None):
        """The fidelity of the file ``data`` on inputs that took no part in the calibration."""
        quantized = Network(data)
        matched = counterparts.find(quantized, self.floating)
        known = ranges.TensorRanges(quantized, self.floating, matched, self.known, chosen)
        samples = [[each] for each in quantized_files.drawn(self.shape, seed=2, count=3)]
        return Fidelity(quantized, self.floating, matched, known).run(samples)


@pytest.fixture(scope="module", params=sorted(quantized_files.NETWORKS))
def made(request):
    return Made(request.param)


@pytest.fixture(scope="module")
def bottlenecks():
    return Made("bottlenecks")


@pytest.mark.parametrize("kind", ["float16", "dynamic", "int8"])
def test_every_operator_of_a_correct_file_does_what_its_steps_say(made, kind):
    found = made.check(made.files[kind])
    assert [operator for operator in found if operator.fault or operator.unjudged or not operator.matched] == []
    assert max(operator.ratio for operator in found if operator.ratio is not None) < 1.4


def test_each_planted_fault_is_found_and_named(made):
    planted = list(quantized_faults.in_int8(made.files["int8"], seed=5))
    assert len(planted) >= 15
    missed = []
    for fault in planted:
        try:
            faults = [operator for operator in made.check(fault.data) if operator.fault]
        except InputFileError as error:
            assert fault.kind == "the wrong axis" and "cannot prepare" in str(error)
            continue
        missed += [] if faults else [fault.kind]
    assert missed == []


def test_all_kinds_of_faults_are_planted_in_one_network_or_another(bottlenecks):
    kinds = {fault.kind for fault in quantized_faults.in_int8(bottlenecks.files["int8"], seed=0)}
    assert set(quantized_faults.KINDS) - kinds <= {"the wrong axis"}


def test_a_fault_is_named_by_the_operator_that_has_it(bottlenecks):
    edited = quantized_faults.Edited(bottlenecks.files["int8"], np.random.RandomState(0))
    operator = edited.weighted(channels=2, bias=True)[2]
    bias = edited.bias_of(operator)
    edited.set_data(bias, 0 * edited.network.tensors[bias].constant)
    (found,) = [each for each in bottlenecks.check(edited.to_bytes()) if each.fault]
    assert found.position == operator.position and "bias" in found.fault


def test_a_range_that_was_cut_on_purpose_is_no_fault(bottlenecks):
    edited = quantized_faults.Edited(bottlenecks.files["int8"], np.random.RandomState(0))
    tensor = next(each for each in edited.written() if edited.network.maker(each).kind == "DEPTHWISE_CONV_2D")
    steps = edited.network.tensors[tensor].steps
    edited.set_steps(tensor, float(steps.scale[0]) / 2, float(steps.zero[0]))
    cut = edited.to_bytes()
    assert any(each.fault for each in bottlenecks.check(cut))
    name = edited.network.tensors[tensor].name
    chosen = {name: (0.0, float(steps.scale[0]) / 2 * 255)}
    assert not any(each.fault for each in bottlenecks.check(cut, chosen))


def test_ferrys_own_file_with_corrected_biases_and_cut_ranges_passes(made):
    own = int8_model.made(made.files["float"], lambda: ([each] for each in made.calibration), Skip(""), False)
    chosen = {name: (each["used_min"], each["used_max"]) for name, each in own.ranges.items()}
    assert [operator for operator in made.check(own.data, chosen) if operator.fault] == []


def test_weights_rounded_to_half_twice_are_found(bottlenecks):
    data = bytearray(bottlenecks.files["float16"])
    network = Network(bytes(data))
    weights = next(each.constant for each in network.tensors if each.dtype == np.float16 and each.constant is not None)
    at = bytes(data).index(weights.tobytes())
    data[at] ^= 1
    faults = [each.fault for each in bottlenecks.check(bytes(data)) if each.fault]
    assert faults
