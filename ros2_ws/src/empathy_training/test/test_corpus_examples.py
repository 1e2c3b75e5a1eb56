"""The form of training data: what is taken, what is refused and why, never quoting a text."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from empathy_agent.chain import has_format
from empathy_training.corpus.examples import LICENCES, as_line, conversations, parse, read_examples, write_examples
from hypothesis import given, settings
from hypothesis import strategies as st

SECRET = "Nobody may read this sentence in a log"


def content(**changes: Any) -> dict[str, Any]:
    """An example's fields."""
    fields = {
        "id": "en-1",
        "locale": "en",
        "topic": "work",
        "post": f"{SECRET}, not even by chance. My desk was moved to the corridor on Monday.",
        "L1": "You feel pushed out.",
        "L2": "You may read the move as a verdict.",
        "L3": "You want to be understood.",
        "L4": "Name the corridor first.",
        "answer": "A desk in the corridor would sting anyone.",
        "source": "a test",
        "licence": "MIT",
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def line(**changes: Any) -> str:
    return json.dumps(content(**changes), ensure_ascii=False)


def test_an_example_carries_a_chain_in_the_papers_format() -> None:
    example = parse(line())
    assert example.has_chain
    assert has_format(example.chain.serialise())
    assert parse(as_line(example)) == example


def test_a_short_post_may_be_in_any_language() -> None:
    assert parse(line(post="嗯嗯")).post == "嗯嗯"


def test_the_turns_of_a_conversation_stay_together_and_in_order() -> None:
    examples = [parse(line(id=name, session=session)) for name, session in (("a", "s"), ("b", "s"), ("c", None))]
    assert [[turn.id for turn in turns] for turns in conversations(examples)] == [["a", "b"], ["c"]]


def test_an_example_may_do_without_a_chain() -> None:
    example = parse(line(L1=None, L2=None, L3=None, L4=None))
    assert not example.has_chain
    assert set(json.loads(as_line(example))) == set(content()) - {"L1", "L2", "L3", "L4"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"L3": ""}, "lacks L3"),
        ({"L1": None, "L2": "  "}, "lacks L1, L2"),
        ({"post": None}, "post: Field required"),
        ({"answer": " \n"}, "answer: String should have at least 1 character"),
        ({"post": 5}, "post: Input should be a valid string"),
        ({"mood": "sad"}, "mood: Extra inputs"),
        ({"locale": "fr"}, "locale: String should match"),
        ({"locale": "zh-CN"}, "post is not in the language of the locale zh-CN"),
        ({"answer": "这是中文的回信，语言不对。"}, "answer is not in the language of the locale en"),
        ({"licence": "CC-BY-NC-ND-4.0"}, "licence CC-BY-NC-ND-4.0 is not known to allow training"),
        ({"L2": "a </L2> b"}, "L2 holds a tag"),
        ({"answer": "a <answer> b"}, "answer holds a tag"),
        ({"post": SECRET + " \x07"}, "post holds a control character"),
        ({"post": SECRET * 1000}, "post: String should have at most 20000 characters"),
        ({"id": "two\nlines"}, "id: String should match"),
    ],
)
def test_what_is_no_example_is_refused_with_the_reason(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        parse(line(**changes))
    assert SECRET not in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "Input should be an object"),
        (b'"text"', "Input should be an object"),
        (line().encode().replace(b"Monday", b"\xff"), "Invalid JSON"),
        (line().encode().replace(b"Monday", rb"\ud83d"), "Invalid JSON"),
        (b'{"post": "' + b"x" * 1_000_000 + b'"}', "at most"),
    ],
)
def test_broken_lines_are_refused(text: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as refusal:
        parse(text)
    assert len(str(refusal.value)) < 200
    assert SECRET not in str(refusal.value)


def test_emoji_are_text() -> None:
    assert parse(line(post="My desk is in the corridor 🙃👩‍👩‍👧, and it is Monday.")).post.count("🙃") == 1


def test_a_licence_can_be_allowed_by_name() -> None:
    assert parse(line(licence="LicenseRef-lab"), LICENCES | {"LicenseRef-lab"}).licence == "LicenseRef-lab"


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz"])
def test_a_file_tells_the_number_of_each_wrong_line(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"data{suffix}"
    text = "\n".join([line(), "", "{", line(id="en-2"), line(), line(id="en-3", L4="")]).encode()
    path.write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)
    reading = read_examples(path)
    assert [example.id for example in reading.examples] == ["en-1", "en-2"]
    assert [fault.line for fault in reading.faults] == [3, 5, 6]
    assert reading.faults[1].reason == "the id stands in line 1 already"
    assert sum(reading.reasons.values()) == 3


def test_a_cut_off_gzip_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "data.jsonl.gz"
    path.write_bytes(gzip.compress(line().encode())[:-12])
    with pytest.raises(ValueError, match=r"data\.jsonl\.gz is not a whole gzip file"):
        read_examples(path)


def test_files_survive_a_round(tmp_path: Path) -> None:
    examples = [parse(line()), parse(line(id="en-2", L1=None, L2=None, L3=None, L4=None))]
    assert write_examples(tmp_path / "new" / "data.jsonl", examples) == 2
    assert read_examples(tmp_path / "new" / "data.jsonl").examples == examples


@settings(max_examples=200)
@given(st.binary(max_size=300) | st.text(max_size=100) | st.from_type(dict).map(str))
def test_anything_else_is_refused_in_one_line(text: bytes | str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011 - whatever the reason
        parse(text)
    assert "\n" not in str(refusal.value)


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200)
@given(st.sampled_from(sorted(content())), _json)
def test_a_damaged_field_gives_an_example_or_one_line(name: str, value: Any) -> None:
    text = json.dumps(content(**{name: value}))
    try:
        parse(text)
    except ValueError:
        with pytest.raises(ValueError) as refusal:  # noqa: PT011 - whatever the reason
            parse(text)
        assert "\n" not in str(refusal.value)
        assert SECRET not in str(refusal.value)
