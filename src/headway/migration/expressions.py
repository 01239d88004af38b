"""What the expressions of a program hold of the ``azureml`` API, and what is asked of it.

A name that nothing is known of, such as a parameter ``run``, is taken for what such names usually
hold, and only members of that class are noted.
"""

import ast
from collections.abc import Mapping
from typing import Final, NamedTuple

from headway.migration.sources import Source
from headway.migration.table import EXPORTS, ROWS, Row, Support, is_module, unsupported_module

_USUAL: Final[Mapping[str, str]] = {
    "exp": "Experiment",
    "experiment": "Experiment",
    "run": "Run",
    "workspace": "Workspace",
    "ws": "Workspace",
}
_SAME_MANY: Final = frozenset({"list", "tuple", "set", "sorted", "reversed", "iter", "enumerate"})
_ONE_OF_MANY: Final = frozenset({"get", "pop"})
_UNKNOWN_MODULE: Final = "Headway knows no such module of the API: leave it out"
_UNKNOWN_MEMBER: Final = "it is not of the API that Headway knows: leave it out"


class Use(NamedTuple):
    """One place where a name of the API is used."""

    row: Row
    where: str
    guessed: bool
    """Whether what it is used on was known by its name only."""


class Thing(NamedTuple):
    """What a name or an expression holds."""

    kind: str
    """``module``, ``class``, ``object``, ``many`` of them; ``function``, which gives ``result``."""
    name: str = ""
    guessed: bool = False
    result: "Thing | None" = None


class Expressions(ast.NodeVisitor):
    """One reading of a program. Visiting an expression gives what it holds.

    Attributes:
        found: Each use of the API by its name and place, with its line.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._scopes: list[dict[str, Thing | None]] = [{}]
        self._results: list[list[Thing]] = []
        self._starred: set[str] = set()  # names of an import *, noted where they are used
        self.found: dict[tuple[str, str], tuple[int, Use]] = {}

    def visit(self, node: ast.AST) -> "Thing | None":
        """Look at a node and what is below it."""
        try:
            thing: Thing | None = super().visit(node)
        except RecursionError:
            return None  # an expression of thousands of terms, written by a program
        return thing

    # ------------------------------------------------------------ modules

    def _exported(self, module: str, name: str, line: int) -> Thing | None:
        """What a module has under a name; noted."""
        row = ROWS.get(EXPORTS.get(module, {}).get(name, ""))
        if row is not None:
            self._note(row, line)
            return Thing("class", row.name)
        path = f"{module}.{name}"
        if is_module(path):
            self._note_module(path, line)
            return Thing("module", path)
        unsupported = unsupported_module(path)
        note = unsupported.note if unsupported else _UNKNOWN_MEMBER
        self._note(Row(path, Support.NO, note), line)
        return None

    def _note_module(self, name: str, line: int) -> None:
        unsupported = unsupported_module(name)
        if unsupported is not None:
            self._note(Row(name, Support.NO, unsupported.note), line)
        elif not is_module(name):
            self._note(Row(name, Support.NO, _UNKNOWN_MODULE), line)

    # ------------------------------------------------------------ expressions

    def visit_Name(self, node: ast.Name) -> "Thing | None":
        for scope in reversed(self._scopes):
            if node.id in scope:
                held = scope[node.id]
                if held is not None and node.id in self._starred:
                    self._note(ROWS[held.name], node.lineno)
                return held
        return usual(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> "Thing | None":
        held = self.visit(node.value)
        if held is None:
            dotted = _dotted(node)
            return self._scopes[0].get(dotted) if dotted else None
        if held.kind == "module":
            return self._exported(held.name, node.attr, node.lineno)
        if held.kind == "many":
            return held._replace(kind="object") if node.attr in _ONE_OF_MANY else held
        return self._member(held, node) if held.kind in {"class", "object"} else None

    def _member(self, held: Thing, node: ast.Attribute) -> "Thing | None":
        row = ROWS.get(f"{held.name}.{node.attr}")
        if row is not None:
            self._note(row, node.lineno, held.guessed)
            return _given(row, held.guessed)
        whole = any(name.startswith(f"{held.name}.") for name in ROWS)
        if whole and not held.guessed and not node.attr.startswith("__"):
            unknown = Row(f"{held.name}.{node.attr}", Support.NO, _UNKNOWN_MEMBER)
            self._note(unknown, node.lineno)
        return None

    def visit_Call(self, node: ast.Call) -> "Thing | None":
        called = self.visit(node.func)
        arguments = [self.visit(argument) for argument in node.args]
        for keyword in node.keywords:
            self.visit(keyword.value)
        if called is None:
            return _passed_on(node.func, arguments)
        if called.kind == "function":
            return called.result
        if called.kind != "class":
            return called
        row = ROWS[called.name]
        if row.called:
            self._note(Row(f"{row.name}(...)", Support.PARTLY, row.called), node.lineno)
        for keyword in node.keywords:
            given = row.arguments.get(keyword.arg or "")
            if given is not None and not _is_default(keyword.value):
                name = f"{row.name}({keyword.arg}=...)"
                self._note(Row(name, *given), keyword.value.lineno)
        return _given(row, called.guessed)

    def visit_Subscript(self, node: ast.Subscript) -> "Thing | None":
        held = self.visit(node.value)
        self.visit(node.slice)
        return held._replace(kind="object") if held is not None and held.kind == "many" else None

    def visit_IfExp(self, node: ast.IfExp) -> "Thing | None":
        self.visit(node.test)
        chosen, other = self.visit(node.body), self.visit(node.orelse)
        return chosen or other

    def visit_BoolOp(self, node: ast.BoolOp) -> "Thing | None":
        held = [self.visit(value) for value in node.values]
        return next((thing for thing in held if thing), None)

    def visit_Await(self, node: ast.Await) -> "Thing | None":
        return self.visit(node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> "Thing | None":
        held = self.visit(node.value)
        self._assign(node.target, held)
        return held

    def visit_List(self, node: ast.List) -> "Thing | None":
        held = [self.visit(element) for element in node.elts]
        first = next((thing for thing in held if thing), None)
        return first._replace(kind="many") if first and first.kind == "object" else None

    def visit_ListComp(self, node: ast.ListComp) -> "Thing | None":
        return self._comprehension(node, node.elt)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> "Thing | None":
        return self._comprehension(node, node.elt)

    def visit_SetComp(self, node: ast.SetComp) -> "Thing | None":
        return self._comprehension(node, node.elt)

    def visit_DictComp(self, node: ast.DictComp) -> "Thing | None":
        return self._comprehension(node, node.key, node.value)

    def _comprehension(
        self, node: ast.ListComp | ast.GeneratorExp | ast.SetComp | ast.DictComp, *made: ast.expr
    ) -> "Thing | None":
        self._scopes.append({})
        for generator in node.generators:
            self._assign_each(generator.target, generator.iter)
            for condition in generator.ifs:
                self.visit(condition)
        held = [self.visit(one) for one in made][-1]
        self._scopes.pop()
        return held._replace(kind="many") if held is not None and held.kind == "object" else None

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._scopes.append({argument.arg: None for argument in node.args.args})
        self.visit(node.body)
        self._scopes.pop()

    # ------------------------------------------------------------ what is known

    def _annotated(self, node: ast.expr | None) -> "Thing | None":
        """What an annotation says: ``Run``, ``"Run"``, ``Run | None`` or ``Optional[Run]``."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                node = ast.parse(node.value, mode="eval").body
            except (SyntaxError, ValueError):
                return None
        if isinstance(node, ast.BinOp):
            return self._annotated(node.left) or self._annotated(node.right)
        if isinstance(node, ast.Subscript):
            return self._annotated(node.slice)
        held = self.visit(node) if isinstance(node, ast.Name | ast.Attribute) else None
        return held._replace(kind="object") if held is not None and held.kind == "class" else None

    def _assign(self, target: ast.expr, held: "Thing | None") -> None:
        if isinstance(target, ast.Name):
            self._bind(target.id, held)
        elif isinstance(target, ast.Attribute):
            self.visit(target)
            if held is not None and (dotted := _dotted(target)):
                self._scopes[0][dotted] = held
        elif isinstance(target, ast.Tuple | ast.List):
            one = held._replace(kind="object") if held and held.kind == "many" else None
            for element in target.elts:
                self._assign(element, one)
        elif isinstance(target, ast.Starred):
            self._assign(target.value, None)
        else:
            self.visit(target)

    def _assign_each(self, target: ast.expr, over: ast.expr) -> None:
        """What a loop gives: ``for i, run in enumerate(runs)`` and ``.items()`` give pairs."""
        held = self.visit(over)
        one = held._replace(kind="object") if held and held.kind == "many" else None
        if isinstance(target, ast.Tuple) and len(target.elts) == 2 and _gives_pairs(over):
            self._assign(target.elts[0], None)
            self._assign(target.elts[1], one)
        else:
            self._assign(target, one)

    def _bind(self, name: str, held: "Thing | None") -> None:
        self._starred.discard(name)
        self._scopes[-1][name] = held

    def _note(self, row: Row, line: int, guessed: bool = False) -> None:
        use = Use(row, self._source.where(line), guessed)
        self.found.setdefault((row.name, use.where), (line, use))

    def _visit_all(self, nodes: list[ast.stmt] | list[ast.expr]) -> None:
        for node in nodes:
            self.visit(node)


def usual(name: str) -> Thing | None:
    """What a name of which nothing is known is taken for."""
    found = _USUAL.get(name)
    return Thing("object", found, guessed=True) if found else None


def _dotted(node: ast.Attribute) -> str:
    """``self.run``, under which an attribute is remembered; empty for anything longer."""
    return f"{node.value.id}.{node.attr}" if isinstance(node.value, ast.Name) else ""


def _given(row: Row, guessed: bool) -> Thing | None:
    if row.returns.startswith("*"):
        return Thing("many", row.returns[1:], guessed)
    return Thing("object", row.returns, guessed) if row.returns else None


def _is_default(argument: ast.expr) -> bool:
    """Whether an argument says what holds anyway."""
    return isinstance(argument, ast.Constant) and argument.value in (None, "local")


def _passed_on(called: ast.expr, arguments: "list[Thing | None]") -> "Thing | None":
    """What ``next(runs)`` or ``list(runs)`` gives."""
    first = arguments[0] if arguments else None
    if not isinstance(called, ast.Name) or first is None or first.kind != "many":
        return None
    if called.id == "next":
        return first._replace(kind="object")
    return first if called.id in _SAME_MANY else None


def _gives_pairs(over: ast.expr) -> bool:
    called = over.func if isinstance(over, ast.Call) else None
    if isinstance(called, ast.Attribute):
        return called.attr == "items"
    return isinstance(called, ast.Name) and called.id == "enumerate"
