"""Find the names that a module's tests use, be it through its fixtures, functions and constants."""

import ast
from collections.abc import Iterator, Mapping

Function = ast.FunctionDef | ast.AsyncFunctionDef


def used_by_tests(source: str) -> set[str]:
    """Return each name that is used when the module's tests run: in a test, or in what it uses of the same module.

    A test uses its parameters (fixtures), the values of its decorators, and the names in its body. A name that is only
    imported or only in an annotation is not used, nor is a fixture that is no parameter.
    """
    definitions = dict(_definitions(ast.parse(source)))
    fixtures = {name for name, node in definitions.items() if _is_fixture(node)}
    used: set[str] = set()
    open_names = [name for name in definitions if name.startswith("test_")]
    while open_names:
        name = open_names.pop()
        if name not in used:
            used.add(name)
            open_names += _uses(definitions[name], fixtures) if name in definitions else []
    return used


def _uses(node: ast.AST, fixtures: set[str]) -> set[str]:
    return _parameters(node) | (set(_references(node)) - fixtures)


def _is_fixture(node: ast.AST) -> bool:
    return isinstance(node, Function) and any("fixture" in _references(one) for one in node.decorator_list)


def _parameters(node: ast.AST) -> set[str]:
    if not isinstance(node, Function):
        return set()
    return {one.arg for one in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}


def _definitions(module: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    for node in module.body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node
            case ast.Assign(targets=targets, value=value):
                yield from ((target.id, value) for target in targets if isinstance(target, ast.Name))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                yield name, value


def _references(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    if isinstance(node, ast.Attribute):
        yield node.attr
    for child in _children_that_run(node):
        yield from _references(child)


def _children_that_run(node: ast.AST) -> Iterator[ast.AST]:
    annotations: Mapping[type[ast.AST], str] = {
        ast.arg: "annotation",
        ast.AnnAssign: "annotation",
        ast.FunctionDef: "returns",
        ast.AsyncFunctionDef: "returns",
    }
    skipped = getattr(node, annotations[type(node)]) if type(node) in annotations else None
    yield from (child for child in ast.iter_child_nodes(node) if child is not skipped)
