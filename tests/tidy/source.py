"""The package's source as the tidy tests see it: modules, what they import, functions, calls. Read by AST."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from attrs import field, frozen

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "trio_dynomite"


@frozen(eq=False)
class Module:
    """One file of Python."""

    path: Path
    tree: ast.Module
    lines: int
    name: str = field(init=False)
    """Dotted, without the package's own name: `peers.link`; the package itself is ""."""

    @name.default
    def _name(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        dotted = ".".join(parts[1:] if parts[0] == PACKAGE else parts)
        return dotted.removesuffix("__init__").removesuffix(".")

    @property
    def part(self) -> str:
        """The part of the house that it belongs to: the first word of its name."""
        return self.name.partition(".")[0]

    def nodes(self) -> Iterator[ast.AST]:
        """Every node that is there at run time: what `if TYPE_CHECKING` guards is not."""
        stack: list[ast.AST] = [self.tree]
        while stack:
            node = stack.pop()
            yield node
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                stack += node.orelse
            else:
                stack += ast.iter_child_nodes(node)

    def imports(self) -> set[str]:
        """The modules it imports at run time, inside functions too; ours by their dotted `name`s,
        and everybody else's with a leading `!`."""
        found: set[str] = set()
        for node in self.nodes():
            if isinstance(node, ast.Import):
                found.update(_own(alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.module is not None, f"{self.name}: relative imports are not used here"
                assert node.level == 0, f"{self.name}: relative imports are not used here"
                found.update(_own(f"{node.module}.{alias.name}") for alias in node.names)
        return found

    def functions(self) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        """(qualified name, function) of every function and method, nested ones too."""
        yield from _functions(self.tree, "")

    def calls(self, name: str) -> Iterator[str]:
        """Where `name` is called (`print`, `trio.open_nursery`): `module:function`, once a call."""
        for where, function in [("", self.tree), *self.functions()]:
            for node in _own_nodes(function):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == name:
                    yield f"{self.name}:{where}"


def _own(dotted: str) -> str:
    """`trio_dynomite.peers.link.Link` → `peers.link`; `trio.Event` → `!trio.Event`."""
    head, _, rest = dotted.partition(".")
    if head != PACKAGE:
        return f"!{dotted}"
    while rest and not _is_module(rest):
        rest = rest.rpartition(".")[0]
    return rest


def _is_module(name: str) -> bool:
    at = ROOT.joinpath(PACKAGE, *name.split("."))
    return at.with_suffix(".py").is_file() or (at / "__init__.py").is_file()


def _functions(node: ast.AST, inside: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        name = f"{inside}.{getattr(child, 'name', '')}".strip(".")
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, child
        is_scope = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        yield from _functions(child, name if is_scope else inside)


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope without those of the functions in it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield child
            yield from _own_nodes(child)


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Every module in these folders of the repository; in the package when none is named."""
    paths = [path for folder in folders or (PACKAGE,) for path in sorted((ROOT / folder).rglob("*.py"))]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return tuple(
        Module(path, ast.parse(text), len(text.splitlines())) for path, text in zip(paths, texts, strict=True)
    )
