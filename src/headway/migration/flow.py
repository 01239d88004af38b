"""Which names of the ``azureml`` API a program uses, by what flows where in it.

The program is read twice: first to learn what its names, attributes and functions hold, then to
note what is asked of them. Both branches of an ``if`` are taken, and the last assignment wins.
"""

import ast

from headway.migration.expressions import Expressions, Thing, Use, usual
from headway.migration.sources import Source
from headway.migration.table import EXPORTS, ROOT, ROWS


def uses_of(source: Source) -> list[Use]:
    """Every use of the API in a program, in the order of its lines."""
    program = _Program(source)
    for _ in range(2):
        program.found.clear()
        program.read()
    ordered = sorted(program.found.values(), key=lambda found: found[0])
    return [use for _, use in ordered]


class _Program(Expressions):
    """The statements of a program, one after the other."""

    def read(self) -> None:
        """Read the program once; what was learned before is still known."""
        for statement in self._source.body:
            self.visit(statement)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.name.split(".")[0] != ROOT:
                self._bind((alias.asname or alias.name).split(".")[0], None)
                continue
            self._note_module(alias.name, node.lineno)
            bound, module = (alias.asname, alias.name) if alias.asname else (ROOT, ROOT)
            self._bind(bound, Thing("module", module))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        module = node.module or ""
        if node.level or module.split(".")[0] != ROOT:
            for alias in node.names:
                self._bind(alias.asname or alias.name, None)
            return
        for alias in node.names:
            if alias.name == "*":
                self._bind_all(module, node.lineno)
            else:
                held = self._exported(module, alias.name, node.lineno)
                self._bind(alias.asname or alias.name, held)

    def _bind_all(self, module: str, line: int) -> None:
        self._note_module(module, line)
        for name, known in EXPORTS.get(module, {}).items():
            self._bind(name, Thing("class", ROWS[known].name))
            self._starred.add(name)

    def visit_Assign(self, node: ast.Assign) -> None:
        held = self.visit(node.value)
        for target in node.targets:
            self._assign(target, held)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        held = self.visit(node.value) if node.value else None
        self._assign(node.target, held or self._annotated(node.annotation))

    def visit_For(self, node: ast.For) -> None:
        self._assign_each(node.target, node.iter)
        self._visit_all([*node.body, *node.orelse])

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        self._assign_each(node.target, node.iter)
        self._visit_all([*node.body, *node.orelse])

    def visit_withitem(self, node: ast.withitem) -> None:
        held = self.visit(node.context_expr)
        if node.optional_vars is not None:
            self._assign(node.optional_vars, held)

    def visit_Return(self, node: ast.Return) -> None:
        held = self.visit(node.value) if node.value else None
        if held is not None and self._results:
            self._results[-1].append(held)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        arguments = node.args
        self._visit_all(node.decorator_list)
        self._visit_all([one for one in [*arguments.defaults, *arguments.kw_defaults] if one])
        scope: dict[str, Thing | None] = {}
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            annotated = argument.annotation is not None
            scope[argument.arg] = (
                self._annotated(argument.annotation) if annotated else usual(argument.arg)
            )
        self._scopes.append(scope)
        self._results.append([])
        self._visit_all(node.body)
        results = self._results.pop()
        self._scopes.pop()
        result = results[0] if results else self._annotated(node.returns)
        made = Thing("function", node.name, result=result)
        self._bind(node.name, made)
        self._scopes[0][f"self.{node.name}"] = made
