"""Public corpora in their own forms, whole and broken."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from empathy_training.corpus.importers import CORPORA, import_corpus, read_rated_replies
from hypothesis import given, settings
from hypothesis import strategies as st

COUNSELLING = Path(__file__).parents[5] / "shared" / "data" / "counselling"
needs_data = pytest.mark.skipif(not COUNSELLING.is_dir(), reason="needs ../shared/data")

POST = (
    "最近半年我一直睡不好，换了房间也没有用。室友说我半夜会坐起来，自己却一点也不记得。"
    "白天上课老走神，期末有三门没有过，不敢告诉家里。"
)
SHORT = "嗯，你慢慢说。"
LONG = "半年睡不好，三门没过，还要在电话里装作一切照旧，难怪白天走神。先不说成绩，你夜里坐起来的那一刻，心里在等什么？"


def turns(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"id": "1", "dialog": [{"role": role, "content": text} for role, text in pairs]}


def test_the_longest_turn_answers_all_that_came_before(tmp_path: Path) -> None:
    dialogue = turns(
        ("client", POST), ("counselor", SHORT), ("client", "我爸爱面子。"), ("counselor", LONG), ("client", "谢谢")
    )
    (tmp_path / "smile.jsonl").write_text(json.dumps(dialogue, ensure_ascii=False))
    (found,) = import_corpus("smile", tmp_path / "smile.jsonl").examples
    assert found.post == f"{POST}\n我爸爱面子。"
    assert found.answer == LONG
    assert (found.licence, found.id, found.has_chain) == ("CC0-1.0", "smile-1", False)


def test_pairs_of_turns_are_read(tmp_path: Path) -> None:
    entry = {"conversation": [{"system": "s", "input": POST, "output": LONG}, {"input": "好的", "output": SHORT}]}
    (tmp_path / "emollm.json.gz").write_bytes(gzip.compress(json.dumps([entry]).encode()))
    (found,) = import_corpus("emollm", tmp_path / "emollm.json.gz").examples
    assert (found.post, found.answer, found.licence) == (POST, LONG, "MIT")


def test_what_is_no_dialogue_is_told_by_its_number(tmp_path: Path) -> None:
    lines = [
        json.dumps(turns(("client", "短"), ("counselor", LONG))),
        "{broken",
        json.dumps({"dialog": 5}),
        json.dumps(turns(("client", POST), ("counselor", "All in English here, sorry."))),
        json.dumps(turns(("client", POST), ("counselor", LONG))),
    ]
    (tmp_path / "smile.jsonl").write_text("\n".join(lines))
    reading = import_corpus("smile", tmp_path / "smile.jsonl")
    assert len(reading.examples) == 1
    assert [fault.line for fault in reading.faults] == [1, 2, 3, 4]
    assert "no answer after" in reading.faults[0].reason
    assert "not an entry" in reading.faults[1].reason
    assert "language" in reading.faults[3].reason


def test_an_unknown_corpus_and_a_broken_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no importer 'reddit'; there are smile"):
        import_corpus("reddit", tmp_path)
    (tmp_path / "e.json").write_text("[{")
    with pytest.raises(ValueError, match=r"e\.json is not JSON"):
        import_corpus("emollm", tmp_path / "e.json")
    (tmp_path / "e.json").write_text("{}")
    with pytest.raises(ValueError, match="not a JSON array"):
        import_corpus("emollm", tmp_path / "e.json")


@settings(max_examples=60)
@given(
    st.lists(
        st.recursive(
            st.none() | st.integers() | st.text(max_size=10),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["dialog", "conversation", "role", "content", "input", "output"]), inner
                )
            ),
            max_leaves=6,
        ),
        max_size=4,
    ),
    st.sampled_from(sorted(CORPORA)),
)
def test_any_json_is_read_or_counted(tmp_path_factory: pytest.TempPathFactory, entries: list[Any], name: str) -> None:
    path = tmp_path_factory.mktemp("corpus") / "file"
    path.write_text(json.dumps(entries) if name == "emollm" else "\n".join(map(json.dumps, entries)))
    reading = import_corpus(name, path)
    assert len(reading.examples) + len(reading.faults) == len(entries)


@needs_data
@pytest.mark.parametrize(
    ("name", "file", "least"),
    [
        ("smile", "smile_long_6000.jsonl.gz", 5900),
        ("cpsycoun", "CPsyCounD_3084.jsonl.gz", 3000),
        ("emollm", "emollm_1596.json.gz", 1500),
    ],
)
def test_the_public_files_are_read(name: str, file: str, least: int) -> None:
    assert len(import_corpus(name, COUNSELLING / file).examples) >= least


@needs_data
def test_the_rated_replies_are_read() -> None:
    rated = read_rated_replies(COUNSELLING / "empathetic_personas_EP_ZH_full.csv.gz")
    assert len(rated) == 1100
    assert {0.0, 2.0} <= {reply.empathy for reply in rated}


@pytest.mark.parametrize(
    "row", ["嗯,1,2", "嗯,1,2,x,1", "嗯,1,2,7,1", ",1,2,1,1"], ids=["short", "no number", "out of range", "empty"]
)
def test_a_broken_row_of_ratings_is_named(tmp_path: Path, row: str) -> None:
    (tmp_path / "r.csv").write_text(
        f"response,annotator1_score,annotator2_score,annotator3_score,empathy_score\n{row}\n"
    )
    with pytest.raises(ValueError, match=r"r\.csv, line 2: "):
        read_rated_replies(tmp_path / "r.csv")


def test_ratings_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not UTF-8"):
        read_rated_replies(tmp_path / "r.csv")
