"""The house rules that a machine can check: lengths, docstrings, who starts tasks, who prints.

What breaks a rule today stands in a list with its reason. The lists are exact, so that they can only shrink.
"""

import ast

from tests.tidy.source import modules

FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400

NURSERIES = [
    "launch.child:Child._run_once",
    "launch.foreground:run",
    "launch.supervisor:Supervisor.run",
    "launch.supervisor:Supervisor.run",
    "lives:_start",
    "lives:run",
    "membership.task:GossipTask.run",
    "node:NodeProcess._open_storage",
    "node:NodeProcess.run",
    "node:NodeProcess.run",
    "seeds.asking:Asking.round",
    "served:Service.run",
]
"""Every place that starts tasks; one line a nursery."""


def test_no_function_is_too_long() -> None:
    long = {
        f"{module.name}:{name}": lines
        for module in modules("trio_dynomite", "benchmarks", "examples")
        for name, function in module.functions()
        if (lines := body_lines(function)) > FUNCTION_LINES_MAX
    }
    assert not long


def test_no_file_is_too_long() -> None:
    long = {
        module.name
        for module in modules("trio_dynomite", "benchmarks", "examples")
        if module.lines > FILE_LINES_MAX
    }
    assert not long


def test_every_module_says_what_it_owns() -> None:
    silent = [
        str(module.path)
        for module in modules("trio_dynomite", "benchmarks", "examples")
        if module.tree.body and not ast.get_docstring(module.tree)
    ]
    assert not silent


def test_every_public_thing_says_what_it_means() -> None:
    silent = [
        f"{module.name}:{name}"
        for module in modules()
        for name, thing in public(module.tree, "")
        if not ast.get_docstring(thing)
    ]
    assert not silent


def test_tasks_are_started_in_few_known_places() -> None:
    assert sorted(where for module in modules() for where in module.calls("trio.open_nursery")) == NURSERIES
    assert not [where for module in modules() for where in module.calls("trio.lowlevel.spawn_system_task")]


def test_only_the_launcher_prints() -> None:
    printing = {where for module in modules() for where in module.calls("print")}
    assert {where.partition(".")[0] for where in printing} <= {"launch"}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body, its docstring not counted."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def public(
    node: ast.AST, inside: str
) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    """(name, thing) of the classes, functions and methods that others may use."""
    found: list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]] = []
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if child.name.startswith("_"):
            continue
        name = f"{inside}.{child.name}".strip(".")
        found.append((name, child))
        if isinstance(child, ast.ClassDef):
            found += public(child, name)
    return found


def test_the_docstring_is_not_counted() -> None:
    tree = ast.parse('def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n    return a\n')
    function = tree.body[0]
    assert isinstance(function, ast.FunctionDef)
    assert body_lines(function) == 2
