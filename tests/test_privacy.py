"""Nothing that a person said gets into a log: looked for in the code of all packages.

That it does not happen while the agent runs is tested with planted words in the agent's own tests.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGES = sorted((Path(__file__).parents[1] / "ros2_ws" / "src").glob("*/setup.py"))
LEVELS = {"debug", "info", "warning", "error", "critical", "exception", "fatal", "log"}
WORDS = {
    "text",
    "post",
    "answer",
    "utterance",
    "chain",
    "reply",
    "prompt",
    "messages",
    "history",
    "turns",
    "output",
    "chunk",
}
"""Names of what holds a person's words, or what was said to them."""


def logged(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of everything with such a name that is put into a log."""
    for call in ast.walk(tree):
        if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in LEVELS):
            continue
        receiver = ast.unparse(call.func.value).lower()
        if "log" not in receiver:
            continue
        for part in [*call.args, *(keyword.value for keyword in call.keywords)]:
            for name in ast.walk(part):
                # What is taken of it (a count, a fault) is no word of anybody.
                if isinstance(name, ast.Name) and name.id in WORDS and not _is_owner(part, name):
                    yield call.lineno, name.id
                if isinstance(name, ast.Attribute) and name.attr in WORDS:
                    yield call.lineno, ast.unparse(name)


def _is_owner(tree: ast.AST, name: ast.Name) -> bool:
    owners = [node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    counted = [
        arg
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "len"
        for arg in node.args
    ]
    return name in owners or name in counted


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.parent.name)
def test_no_log_line_holds_what_was_said(package: Path) -> None:
    sources = [file for file in package.parent.rglob("*.py") if "test" not in file.parts and "build" not in file.parts]
    assert sources
    found = [
        f"{file.name}:{line}: {name}"
        for file in sources
        for line, name in logged(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert not found


@pytest.mark.parametrize(
    ("code", "hits"),
    [
        ('self.get_logger().warning(f"not answered: {text}")', 1),
        ('logger.info("post %s", message.text)', 1),
        ('logger.info("%d characters", len(text))', 0),
        ('logger.warning("fault: %s", reply.fault)', 0),
        ("console.print(text)", 0),
    ],
)
def test_the_search_finds_what_it_is_for(code: str, hits: int) -> None:
    assert len(list(logged(ast.parse(code)))) == hits
