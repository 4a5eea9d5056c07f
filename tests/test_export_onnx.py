import onnx
import pytest

from programs import run_stage, write_model

CONTRACT = "import torch\ndef get_pytorch_model(): return torch.nn.Linear(3, 3)\n"
FORWARD = (
    "import torch\nclass M(torch.nn.Module):\n    def forward(self, x): return {}\n"
    "def get_pytorch_model(): return M()\n"
)
INPUT = "def get_example_input(): return torch.zeros(1, 3)\n"

BAD_FILES = {
    "does not import": ("import no_such_module", "importing the file failed at line 1: ModuleNotFoundError"),
    "is no Python": ("def f(:", "importing the file failed at line 1: SyntaxError"),
    "calls exit": ("exit(0)", "importing the file failed at line 1: it called exit()"),
    "lacks the model": ("x = 1", "has no function get_pytorch_model()"),
    "lacks the input": (CONTRACT, "has no function get_example_input()"),
    "raises in a function": (
        "def get_pytorch_model():\n    raise KeyError('weights')",
        "get_pytorch_model() failed at line 2: KeyError: 'weights'",
    ),
    "returns no module": ("def get_pytorch_model(): return 3", "must return a torch.nn.Module, and returned an object"),
    "returns no tensor": (
        CONTRACT + "def get_example_input(): return [1]",
        "a tensor, or a tuple or dictionary of tensors, and returned an object of type list that holds none",
    ),
    "returns an empty tensor": (
        CONTRACT + "def get_example_input(): return torch.zeros(0, 3)",
        "tensor with no elements, a tensor of shape (0, 3)",
    ),
    "raises in forward": (
        CONTRACT + "def get_example_input(): return torch.zeros(1, 4)",
        "the model's forward(), called on get_example_input(), failed: RuntimeError: size mismatch",
    ),
    "raises what is no Exception": (
        "class Stop(BaseException): pass\nraise Stop('here')",
        "importing the file failed at line 2: Stop: here",
    ),
    "does not read an input": (
        "import torch\nclass M(torch.nn.Module):\n    def forward(self, a, b): return a * 2\n"
        "def get_pytorch_model(): return M()\ndef get_example_input(): return torch.zeros(1, 3), torch.zeros(1, 3)",
        "reads 1 of its 2 inputs: leave the others out",
    ),
    "returns more than tensors from forward": (
        "import torch\nclass M(torch.nn.Module):\n    def forward(self, x): return {'a': x, 'b': [x, 'text']}\n"
        "def get_pytorch_model(): return M()\n" + INPUT,
        "and returned an object of type str at ['b'][1]",
    ),
    "ends the process": (
        "import os\nos._exit(0)",
        "importing the file failed at line 2: it called exit()",
    ),
    "imports itself in a circle": (
        "from bad import get_pytorch_model",
        "importing the file failed at line 1: ImportError",
    ),
    "asks for 10 GB": (
        CONTRACT + "def get_example_input(): return torch.zeros(1).expand(2500, 1000000)",
        "of 10.0 GB: TFLite takes 2 GB at most",
    ),
    "returns a number": (
        "import torch\nclass M(torch.nn.Module):\n    def forward(self, x): return float(x.sum())\n"
        "def get_pytorch_model(): return M()\n" + INPUT,
        "must return a tensor, or a tuple or dictionary of tensors, and returned an object of type float",
    ),
    "has dropout that eval does not reach": (
        "import torch\nclass M(torch.nn.Module):\n    def forward(self, x):\n"
        "        return torch.nn.functional.dropout(x)\ndef get_pytorch_model(): return M()\n" + INPUT,
        "computes in training mode what eval() does not reach: dropout (",
    ),
    "returns what does not depend on the input": (
        "import torch\nclass M(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.w = torch.nn.Parameter(torch.ones(3))\n    def forward(self, x): return x + 1, self.w * 2\n"
        "def get_pytorch_model(): return M()\n" + INPUT,
        "output_1 does not depend on the model's input",
    ),
    "returns a class": (
        "import torch\ndef get_pytorch_model(): return torch.nn.Linear\n" + INPUT,
        "must return a torch.nn.Module, and returned an object of type type",
    ),
    "wants an argument": (
        "def get_pytorch_model(size): pass",
        "get_pytorch_model() failed: TypeError: get_pytorch_model() missing 1 required positional argument: 'size'",
    ),
    "holds a null byte": ("x = 1\0", "importing the file failed: ValueError: source code string cannot contain null"),
    "looks for weights that are not there": (
        "import torch\ndef get_pytorch_model(): return torch.load('nowhere.pth')\n" + INPUT,
        "get_pytorch_model() failed at line 2: FileNotFoundError",
    ),
    "wants a GPU": (
        CONTRACT + "def get_example_input(): return torch.zeros(1, 3).cuda()",
        "get_example_input() failed at line 3: AssertionError",
    ),
    "gives a generator": (
        CONTRACT + "def get_example_input(): return (torch.zeros(1, 3) for _ in range(2))",
        "a tensor, or a tuple or dictionary of tensors, and returned an object of type generator",
    ),
    "names an input that forward does not take": (
        CONTRACT + "def get_example_input(): return {'y': torch.zeros(1, 3)}",
        "failed: TypeError: forward() got an unexpected keyword argument 'y'",
    ),
    "gives floats for indices": (
        "import torch\ndef get_pytorch_model(): return torch.nn.Embedding(9, 4)\n" + INPUT,
        "to have scalar type Long; but got torch.FloatTensor",
    ),
    "gives an index that is too large": (
        "import torch\ndef get_pytorch_model(): return torch.nn.Embedding(9, 4)\n"
        "def get_example_input(): return torch.full((1, 3), 9, dtype=torch.long)",
        "failed: IndexError: index out of range in self",
    ),
    "has more weights than a file holds": (
        "import torch\nclass M(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.w = torch.nn.Parameter(torch.zeros(1).expand(700000000))\n"
        "    def forward(self, x): return x + self.w[0]\ndef get_pytorch_model(): return M()\n" + INPUT,
        "the model's weights take 2.8 GB: ONNX and TFLite hold 2 GB at most",
    ),
    "is quantized": (
        "import torch\nfrom torch.quantization import quantize_dynamic\ndef get_pytorch_model(): "
        "return quantize_dynamic(torch.nn.Sequential(torch.nn.Linear(3, 3)), {torch.nn.Linear})\n" + INPUT,
        "0 is quantized (Linear): Ferry converts models in floating point",
    ),
    "calls exit in forward": (FORWARD.format("exit(0)") + INPUT, "failed at line 3: it called exit()"),
    "calls itself without end": (FORWARD.format("self.forward(x)") + INPUT, "RecursionError: maximum recursion depth"),
    "returns nothing": (FORWARD.format("None") + INPUT, "tensors, and returned None"),
    "returns an empty tuple": (FORWARD.format("()") + INPUT, "and returned an object of type tuple that holds none"),
    "returns an empty output": (FORWARD.format("x[:, :0]") + INPUT, "with no elements, a tensor of shape (1, 0)"),
    "makes a sparse tensor": (FORWARD.format("x.to_sparse()") + INPUT, "no form in ONNX for to_sparse ("),
    "has no ONNX form": (
        "import torch\nclass M(torch.nn.Module):\n    def forward(self, x): return torch.fft(x, 1)\n"
        "def get_pytorch_model(): return M()\ndef get_example_input(): return torch.zeros(1, 4, 2)",
        "has no form in ONNX for fft (",
    ),
}


@pytest.mark.parametrize(
    ("source", "message"),
    # Each starts PyTorch: one in four is enough for every day.
    [
        pytest.param(*case, id=name, marks=pytest.mark.slow if place % 4 else ())
        for place, (name, case) in enumerate(BAD_FILES.items())
    ],
)
def test_a_bad_model_file_is_one_clear_message_and_no_target(tmp_path, source, message):
    model, target = tmp_path / "bad.py", tmp_path / "build" / "model.onnx"
    model.write_text(source)
    target.parent.mkdir()
    target.write_text("what was there before")
    done = run_stage("export_onnx", "--model", model, "--output", target)
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert target.read_text() == "what was there before"
    assert sorted(path.name for path in target.parent.iterdir()) == ["logs", "model.onnx"]


def test_a_missing_model_file_names_those_that_are_there(tmp_path):
    write_model(tmp_path / "there.py", "x")
    done = run_stage("export_onnx", "--model", tmp_path / "gone.py", "--output", tmp_path / "model.onnx")
    assert done.returncode == 1
    assert "there is no model file" in done.stderr
    assert "holds there.py" in done.stderr


def test_the_export_is_checked_and_named(tmp_path):
    write_model(tmp_path / "m.py", "(x + 1, x.mean([2, 3]))")
    done = run_stage("export_onnx", "--model", tmp_path / "m.py", "--output", tmp_path / "model.onnx")
    assert done.returncode == 0, done.stderr
    graph = onnx.load(str(tmp_path / "model.onnx")).graph
    assert [entry.name for entry in graph.input] == ["input"]
    assert [entry.name for entry in graph.output] == ["output_0", "output_1"]


def test_a_model_in_training_mode_is_put_in_eval_and_said_so(tmp_path):
    model = write_model(
        tmp_path / "m.py", "F.dropout(x, 0.5, self.training) + self.b(x)", members="self.b = nn.BatchNorm2d(3)"
    )
    model.write_text(model.read_text().replace("Model().eval()", "Model()"))
    done = run_stage("export_onnx", "--model", model, "--output", tmp_path / "model.onnx")
    assert done.returncode == 0, done.stderr
    assert "exported in eval mode" in done.stdout
    operators = {node.op_type for node in onnx.load(str(tmp_path / "model.onnx")).graph.node}
    assert "Dropout" not in operators


def test_the_libraries_warnings_go_to_the_log(tmp_path):
    model = write_model(tmp_path / "m.py", "x * 2 if x.sum() > -1e9 else x")
    quiet = run_stage("export_onnx", "--model", model, "--output", tmp_path / "model.onnx")
    assert quiet.returncode == 0, quiet.stderr
    assert quiet.stderr == ""
    assert len(quiet.stdout.splitlines()) == 2
    assert f"{tmp_path}/m.py:12: Python reads a value that depends on the input" in quiet.stdout
    assert "TracerWarning" in (tmp_path / "logs" / "export_onnx.log").read_text()
    loud = run_stage("export_onnx", "--model", model, "--output", tmp_path / "model.onnx", env={"VERBOSE": "1"})
    assert "TracerWarning" in loud.stderr


def test_a_model_file_that_changes_the_folder_changes_nothing(tmp_path):
    model = write_model(tmp_path / "m.py", "x * 2")
    model.write_text(f"import os\nos.chdir({str(tmp_path.parent)!r})\n" + model.read_text())
    done = run_stage("export_onnx", "--model", "m.py", "--output", "build/model.onnx", cwd=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "build" / "model.onnx").exists()


def test_a_model_file_that_closes_its_output_is_exported(tmp_path):
    model = write_model(tmp_path / "m.py", "x * 2")
    model.write_text("import sys\nsys.stdout.close()\n" + model.read_text())
    done = run_stage("export_onnx", "--model", model, "--output", tmp_path / "model.onnx")
    assert done.returncode == 0, done.stderr
    assert "1 nodes" in done.stdout


def test_an_error_in_letters_the_terminal_lacks_is_still_a_message(tmp_path):
    model = tmp_path / "m.py"
    model.write_text("raise ValueError('caf\u00e9 \U0001f600')", encoding="utf-8")
    ascii_only = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run_stage("export_onnx", "--model", model, "--output", tmp_path / "m.onnx", env=ascii_only)
    assert done.returncode == 1
    assert "ValueError: caf" in done.stderr


def test_help_is_there():
    done = run_stage("export_onnx", "--help")
    assert done.returncode == 0
    assert "--model" in done.stdout
