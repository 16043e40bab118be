"""What the loader can say: every sentence, remedy and rule that stands in its source, with {} where a value comes.

Found by reading the source, so that a sentence that nobody triggered yet is found too.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: Functions whose texts are told though they end with no stop.
TOLD = {"required": 1, "assume": 0, "leave_out": 0}
HOLE = "{}"


def templates(path: Path) -> list[str]:
    """Give the templates of a module."""
    tree = ast.parse(path.read_text("utf-8"))
    skipped = set(_skipped(tree))
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr) and id(node) not in skipped:
            text = _template(node)
            if text is not None and " " in text and text[-1] in ".?" and text.strip(" {}.?,"):
                found.append(text)
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in TOLD and len(node.args) > TOLD[name]:
                text = _template(node.args[TOLD[name]])
                if text is not None and " " in text:
                    found.append(text)
    return list(dict.fromkeys(found))


def _skipped(tree: ast.AST) -> Iterator[int]:
    """Give texts that are nobody's to read: docstrings, pieces of other texts, patterns, what an assertion says."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield id(node.value)
        elif isinstance(node, ast.JoinedStr):
            yield from (id(part) for part in node.values)
        elif isinstance(node, ast.Assert | ast.Raise) or _compiles(node):
            yield from (id(part) for part in ast.walk(node))


def _compiles(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "compile"


def _template(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) and node.value else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else HOLE for part in node.values)
    return None
