"""The house itself: which package may know which, what the runners may import, names, lengths and broad excepts.

Each exception is named below. A list of exceptions must be exact, so that it can only become shorter.
"""

import ast
import collections
import importlib.util
import pathlib
import sys
import sysconfig
from typing import Dict, Iterable, Iterator, List, Set, Tuple

import pytest

from programs import ROOT

pytestmark = pytest.mark.fast

SCRIPTS = ROOT / "scripts"
MODULE_LINES, FUNCTION_LINES = 400, 60

# Pairs of packages that know each other, and what of Ferry the runners import beside themselves.
CYCLES: Set[Tuple[str, ...]] = set()
SHARED_WITH_RUNNERS = {"ferry.printable"}
LONG_MODULES: Set[str] = set()
LONG_FUNCTIONS: Set[str] = set()
SAME_NAME = {
    "activations.py": 2,
    "arithmetic.py": 2,
    "errors.py": 2,
    "graph.py": 2,
    "matrix.py": 2,
    "node.py": 2,
    "pools.py": 2,
    "recurrent.py": 3,
    "registry.py": 2,
    "resize.py": 3,
    "shapes.py": 2,
    "stages.py": 2,
    "verification.py": 2,
    "windows.py": 2,
}
# The places that catch Exception, BaseException or everything, and how often each does.
BROAD_EXCEPTS = {
    # The user's own code, or a file of any content, is at work inside: whatever it raises is the user's to read.
    "ferry/model/checkpoint_file.py: load": 1,
    "ferry/model/exported_program.py: load": 1,
    "ferry/model/torchscript_file.py: load": 1,
    "ferry/model/user_code.py: guard": 1,
    "ferry/tflite/flatbuffer.py: load": 1,
    "ferry/verify/image_inputs.py: samples": 2,
    "ferry/torch_server/opened_model.py: OpenedModel.run": 1,
    "ferry/torch_server/opened_model.py: OpenedModel.widen": 1,
    "ferry/verify/own_inputs.py: _guarded.called": 1,
    "ferry/verify/own_inputs.py: _guarded_items": 1,
    "ferry/verify/reference_worker.py: ReferenceWorker._outputs": 1,
    "ferry/verify/reference_worker.py: ReferenceWorker._widen": 1,
    # A library is called whose exceptions share no base but this.
    "ferry/export/pytorch_export.py: _in_opset": 1,
    "ferry/torch_server/onnx_exporter.py: export": 1,
    # The exception is raised again, with the name of the pass or after something is closed or ended.
    "develop/bench/process.py: run": 1,
    "ferry/errors.py: foreign_errors": 1,
    "ferry/export/export_watch.py: Watch.symbolic.run": 1,
    "ferry/graph/pass_manager.py: PassManager._run_one": 1,
    "ferry/regular_file.py: open_for_reading": 1,
    "runners/airlock.py: _move": 1,
    # The top of a process: what arrives here is reported as a fault in Ferry.
    "develop/operator_coverage/workers.py: _serve": 1,
    "ferry/forked_call.py: _answer": 1,
    "ferry/stage.py: run": 1,
    "ferry/torch_server/serve.py: _serve": 1,
    "ferry/worker.py: _serve": 1,
}


def sources(root: pathlib.Path) -> Dict[str, pathlib.Path]:
    """The modules below ``root``, by dotted name; a package goes by the name of its folder."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: pathlib.Path, modules: Dict[str, pathlib.Path]) -> Iterator[str]:
    """What the module at ``path`` imports, at its top or inside of a function; a module of ours where it is one."""
    yield from _named(ast.walk(ast.parse(path.read_text())), path, modules)


def imported_at_its_top(tree: ast.Module, modules: Dict[str, pathlib.Path]) -> Iterator[str]:
    """The same of what is imported whenever the module is."""
    yield from _named(tree.body, "", modules)


def _named(nodes: Iterable[ast.AST], path: object, modules: Dict[str, pathlib.Path]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, f"{path}:{node.lineno}: a relative import"
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in modules else node.module for name in inside)


def package_of(module: str) -> str:
    """The room that ``module`` is in: a folder of ferry/ or develop/, or the module itself where it stands alone."""
    parts = module.split(".")
    return ".".join(parts[:2]) if parts[0] in ("ferry", "develop") else parts[0]


def package_imports(root: pathlib.Path) -> Dict[str, Set[str]]:
    modules = sources(root)
    known: Dict[str, Set[str]] = collections.defaultdict(set)
    for name, path in modules.items():
        known[package_of(name)].update(package_of(other) for other in imported(path, modules) if other in modules)
    return {package: others - {package} for package, others in known.items()}


def cycles(edges: Dict[str, Set[str]]) -> Set[Tuple[str, ...]]:
    """Each largest group of packages that reach one another."""
    reached = {package: _reached(package, edges) for package in edges}
    groups = (sorted(other for other in reached[each] if each in reached.get(other, ())) for each in edges)
    return {tuple(group) for group in groups if group}


def _reached(start: str, edges: Dict[str, Set[str]]) -> Set[str]:
    found: Set[str] = set()
    waiting = [start]
    while waiting:
        new = edges.get(waiting.pop(), set()) - found
        found |= new
        waiting += new
    return found


def of_the_standard_library(module: str) -> bool:
    top = module.split(".")[0]
    spec = importlib.util.find_spec(top)
    if top in sys.builtin_module_names or (spec and spec.origin in ("built-in", "frozen")):
        return True
    origin = pathlib.Path(spec.origin).resolve() if spec and spec.origin else pathlib.Path("/")
    return pathlib.Path(sysconfig.get_path("stdlib")).resolve() in origin.parents and "site-packages" not in str(origin)


def functions(root: pathlib.Path) -> Iterator[Tuple[str, ast.AST]]:
    """Each module, class and function below ``root`` as ``file: qualified.name``, with its node."""
    for path in sorted(root.rglob("*.py")):
        waiting: List[Tuple[str, ast.AST]] = [("", ast.parse(path.read_text()))]
        while waiting:
            name, node = waiting.pop()
            yield f"{path.relative_to(root)}: {name}", node
            waiting += [(f"{name}.{each.name}".lstrip("."), each) for each in _definitions(node)]


def _definitions(node: ast.AST) -> Iterator[ast.AST]:
    """The classes and functions in ``node`` that are in no other one in it."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield child
        else:
            yield from _definitions(child)


def _own_handlers(node: ast.AST) -> Iterator[ast.ExceptHandler]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ExceptHandler):
            yield child
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield from _own_handlers(child)


def _is_broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(each is None or getattr(each, "id", "") in ("Exception", "BaseException") for each in caught)


def broad_excepts(root: pathlib.Path) -> Dict[str, int]:
    found = {name: sum(map(_is_broad, _own_handlers(node))) for name, node in functions(root)}
    return {name: number for name, number in found.items() if number}


def long_functions(root: pathlib.Path) -> Set[str]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        name
        for name, node in functions(root)
        if isinstance(node, kinds) and node.end_lineno - node.lineno + 1 > FUNCTION_LINES  # type: ignore[operator]
    }


def test_no_package_reaches_itself():
    assert cycles(package_imports(SCRIPTS)) == CYCLES


def test_the_runners_need_the_standard_library_alone():
    modules = sources(SCRIPTS)
    ours = {name for name in modules if package_of(name) == "runners"} | SHARED_WITH_RUNNERS
    needed = {other for name in ours for other in imported(modules[name], modules)}
    beyond = {name for name in needed - ours if name in modules or not of_the_standard_library(name)}
    assert not beyond
    assert needed >= SHARED_WITH_RUNNERS


def test_what_runs_in_todays_pytorch_needs_torch_and_numpy_alone():
    modules = sources(SCRIPTS)
    reached: Set[str] = set()
    waiting = [name for name in modules if name == "torch_server" or name.startswith("ferry.torch_server")]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            tree = ast.parse(modules[name].read_text()) if name in modules else ast.parse("")
            waiting += imported_at_its_top(tree, modules)
    beyond = {name for name in reached - set(modules) if not of_the_standard_library(name)}
    assert {name.split(".")[0] for name in beyond} == {"torch", "numpy"}


def test_neither_ferry_nor_what_develops_it_knows_the_runners():
    known = package_imports(SCRIPTS)
    assert not [name for name in known if name.startswith(("ferry", "develop")) and "runners" in known[name]]


def test_no_two_files_have_one_name():
    names = collections.Counter(path.name for path in SCRIPTS.rglob("*.py") if path.name != "__init__.py")
    assert {name: number for name, number in names.items() if number > 1} == SAME_NAME


def test_no_module_and_no_function_is_too_long():
    lines = {str(path.relative_to(SCRIPTS)): path.read_text().count("\n") for path in SCRIPTS.rglob("*.py")}
    assert {name for name, number in lines.items() if number > MODULE_LINES} == LONG_MODULES
    assert long_functions(SCRIPTS) == LONG_FUNCTIONS


def test_every_broad_except_is_a_known_one():
    assert broad_excepts(SCRIPTS) == BROAD_EXCEPTS


@pytest.fixture
def planted(tmp_path):
    def write(**files):
        for name, text in files.items():
            path = tmp_path / (name.replace("__", "/") + ".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def test_a_cycle_through_a_function_is_found(planted):
    root = planted(
        ferry__graph__a="from ferry.lowering import b\n",
        ferry__lowering__b="def late():\n    import ferry.frozen.c\n",
        ferry__frozen__c="from ferry.graph.a import x\n",
        ferry__errors="",
        verify="import ferry.errors, ferry.graph.a\n",
    )
    assert cycles(package_imports(root)) == {("ferry.frozen", "ferry.graph", "ferry.lowering")}


def test_a_broad_except_and_a_long_function_are_found(planted):
    caught = "class A:\n    def f(self):\n        try:\n            pass\n        except {}:\n            pass\n"
    root = planted(
        a=caught.format("(OSError, Exception)"),
        b=caught.format("ValueError"),
        c="try:\n    pass\nexcept:\n    pass\n",
        d="def long():\n" + "    pass\n" * FUNCTION_LINES,
    )
    assert broad_excepts(root) == {"a.py: A.f": 1, "c.py: ": 1}
    assert long_functions(root) == {"d.py: long"}


def test_a_package_is_told_from_the_standard_library():
    assert [of_the_standard_library(name) for name in ("os.path", "sys", "json", "numpy", "pytest")] == [True] * 3 + [
        False
    ] * 2
