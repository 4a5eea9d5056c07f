"""Each change to PyTorch does what it is for, and PyTorch 1.5.1 still needs it."""

import io

import onnx
import pytest
import torch
from torch.onnx import symbolic_registry

from ferry.export import pytorch_export
from ferry.export.patches import inline_functions, python_sizes, replaced, scripted_functions, symbolics_listed_once
from ferry.model import model_file
from onnx_models import run_onnx
from programs import write_model


class Computes(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.forward = function


def operators(function, x):
    """The ONNX operators of an export by PyTorch alone."""
    buffer = io.BytesIO()
    torch.onnx.export(Computes(function), x, buffer, opset_version=11)
    return [node.op_type for node in onnx.load_model_from_string(buffer.getvalue()).graph.node]


def test_what_is_replaced_is_as_it_was_afterwards():
    class Base:
        inherited = 1

    class Owner(Base):
        own = 2

    with replaced(Owner, inherited=3, own=4, new=5):
        assert (Owner.inherited, Owner.own, Owner.new) == (3, 4, 5)
    assert (Owner.inherited, Owner.own) == (1, 2)
    assert set(vars(Owner)) & {"inherited", "own", "new"} == {"own"}


def scaled(x):
    return x * (x.shape[0] / 8) + x.numel() + x.size(1) / 2


def test_a_size_is_a_tensor_to_the_tracer_and_a_number_to_ferry():
    x = torch.randn(4, 3)
    assert "Shape" in operators(scaled, x)
    with python_sizes.used():
        assert "Shape" not in operators(scaled, x)
        assert torch.equal(torch.jit.trace(scaled, x)(x), scaled(x))
    assert not torch.equal(torch.jit.trace(scaled, x)(x), scaled(x))


@pytest.mark.parametrize("factor", [2, 1.7])
def test_interpolate_asks_a_size_for_its_float(factor):
    x = torch.randn(1, 2, 10, 10)

    def resized(x):
        return torch.nn.functional.interpolate(x, scale_factor=factor, mode="nearest")

    with python_sizes.used():
        assert torch.equal(torch.jit.trace(resized, x)(x), resized(x))
    # The reason for the change to interpolate: with sizes as numbers alone it fails.
    numbers = property(lambda tensor: (1, 2, 10, 10)), lambda tensor, axis=None: 10
    with replaced(torch.Tensor, shape=numbers[0], size=numbers[1]), pytest.raises(AttributeError, match="float"):
        torch.jit.trace(resized, x, check_trace=False)


def activation(x, inplace: bool = False):
    if inplace:
        return x.add_(3).clamp_(0, 6)
    return (x + 3).clamp(0, 6)


def clamped(x):
    return (x + 3).clamp(0, 6)


def calling(x):
    return clamped(x) * torch.nn.functional.hardtanh(x)


def first_or_last(x):
    return x[0] if bool(x.sum() > 0) else x[-1]


def test_a_scripted_function_is_python_unless_values_decide():
    assert isinstance(torch.jit.script(first_or_last), torch.jit.ScriptFunction)
    assert scripted_functions.script(activation) is activation
    assert isinstance(scripted_functions.script(first_or_last), torch.jit.ScriptFunction)
    with replaced(torch.jit, script=scripted_functions.script):
        assert torch.jit.script(calling) is calling
    # The reason: of what a scripted function computes the exporter knows no shape.
    compiled = scripted_functions._script(clamped)
    with pytest.raises((RuntimeError, ValueError), match="adaptive|does not know the shape"):
        operators(lambda x: torch.nn.functional.adaptive_avg_pool2d(compiled(x), 2), torch.randn(1, 2, 4, 4))


SWISH = """\
class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, inplace=False):
        ctx.save_for_backward(x)
        y = x.sigmoid()
        if not inplace:
            return x * y
        ctx.mark_dirty(x)
        return x.mul_(y)

    @staticmethod
    def backward(ctx, gradient):
        return gradient, None


swish = Swish.apply
"""


@pytest.mark.parametrize("forward", ["swish(x)", "Swish.apply(x * 1, True) + self.b"])
def test_a_function_of_the_users_is_traced_as_what_it_computes(tmp_path, forward):
    path = write_model(tmp_path / "m.py", forward, "torch.randn(2, 3)", "self.b = nn.Parameter(torch.ones(3))")
    path.write_text(path.read_text().replace("\n\nclass Model", f"\n\n{SWISH}\n\nclass Model"))
    pytorch_export.install()
    model = model_file.load(str(path))
    made = pytorch_export.to_onnx(model)
    assert "Sigmoid" in [node.op_type for node in made.graph.node]
    (computed,) = run_onnx(made, {"input": model.example_inputs[0].numpy()})
    assert abs(computed - model.example_outputs[0].detach().numpy()).max() < 1e-6


def test_outside_of_a_trace_a_function_keeps_its_gradient():
    class Thrice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return 3 * x

        @staticmethod
        def backward(ctx, gradient):
            return 3 * gradient

    inline_functions.install()
    x = torch.ones(2, requires_grad=True)
    Thrice.apply(x).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_the_tracer_records_a_function_as_one_operator():
    class Plain(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

    original = vars(torch._C._FunctionBase)["apply"].__get__(None, Plain)
    trace = torch.jit.trace(lambda x: original(x) * 2, torch.ones(2), check_trace=False)
    assert "^Plain()" in str(trace.graph)


def test_the_exporter_would_list_its_functions_again_and_again():
    symbolics_listed_once.install()
    listed = symbolic_registry.get_ops_in_version
    assert listed(11) is listed(11)
    assert listed.__wrapped__(11) is not listed.__wrapped__(11)
