from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imuface_bringup.launch_file import LaunchFileError
from imuface_bringup.launch_file.substitution import Call, Functions, evaluate, is_literal, parse, words

FUNCTIONS: Functions = {
    "var": lambda name: f"<{name}>",
    "env": lambda name, default="none": f"{name}={default}",
    "dirname": lambda: "/launch",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain text, (with) 'quotes' and \"more\"", "plain text, (with) 'quotes' and \"more\""),
        ("$(var a)", "<a>"),
        ("x$(var a)y$(var b-c)", "x<a>y<b-c>"),
        ("$(dirname)/fastdds.xml", "/launch/fastdds.xml"),
        ("$(env HOME $(dirname)/x)", "HOME=/launch/x"),
        ("$(var $(var a))", "<<a>>"),
    ],
)
def test_evaluates(text: str, expected: str) -> None:
    assert evaluate(text, FUNCTIONS) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$(var a", r"missing '\)'"),
        ("$(", "no name"),
        ("$()", "no name"),
        ("$(var  a)", "empty argument"),
        ("$(var a )", "empty argument"),
        ("$(var 'a')", "empty argument"),
        ("$(var a(b)", r"missing '\)'"),
        ("5 $", r"lone '\$'"),
        ("x\\y", "backslash"),
        ("$(vr a)", "did you mean 'var'"),
        ("$(var)", "wrong number of arguments"),
        ("$(dirname x)", "wrong number of arguments"),
    ],
)
def test_refuses_with_a_reason(text: str, message: str) -> None:
    with pytest.raises(LaunchFileError, match=message):
        evaluate(text, FUNCTIONS)


@given(st.text(max_size=60))
def test_parses_or_refuses_any_text(text: str) -> None:
    try:
        template = parse(text)
    except LaunchFileError as error:
        message = str(error)
    else:
        assert is_literal(text) == all(isinstance(part, str) for part in template)
        return
    assert text in message


# Text without the characters that mean something, and trees of calls built from it.
_words = st.text(st.characters(exclude_characters="$\\()'\" ", codec="utf-8"), min_size=1, max_size=8)


def _calls(arguments: st.SearchStrategy[tuple[str | Call, ...]]) -> st.SearchStrategy[Call]:
    return st.builds(
        Call, st.from_regex(r"[a-z][a-z-]{0,5}", fullmatch=True), st.lists(arguments, max_size=3).map(tuple)
    )


_templates = st.recursive(
    _words.map(lambda word: (word,)), lambda inner: st.tuples(_words, _calls(inner)), max_leaves=8
)


def _written(template: tuple[str | Call, ...]) -> str:
    return "".join(
        part if isinstance(part, str) else "$(" + " ".join([part.name, *map(_written, part.arguments)]) + ")"
        for part in template
    )


@given(_templates)
def test_reads_back_what_was_written(template: tuple[str | Call, ...]) -> None:
    assert parse(_written(template)) == template


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("  a  b ", ("a", "b")),
        ("-d $(dirname)/x -f", ("-d", "/launch/x", "-f")),
        ("$(env A) $(env B)", ("A=none", "B=none")),
        ("$(env A)$(env B)", ("A=noneB=none",)),
        ("'two words'x", ("two wordsx",)),
        ("$(env spaced)y", ("spaced=a b cy",)),
    ],
)
def test_words_are_split_at_spaces_of_the_text_alone(text: str, expected: tuple[str, ...]) -> None:
    functions = dict(FUNCTIONS)
    functions["env"] = lambda name: f"{name}={'a b c' if name == 'spaced' else 'none'}"
    assert words(text, functions) == expected
