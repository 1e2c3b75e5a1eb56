"""The gate's command line, for those who audit it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from empathy_training.commands.empathy import empathy_app
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner


def screened(data: bytes, *options: str) -> list[dict[str, object]]:
    result = CliRunner().invoke(empathy_app, ["screen", *options], input=data)
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def test_lines_in_json_lines_out() -> None:
    crisis, plain, broken = screened(
        "我不想活了\n\nI had soup.\r\n".encode() + b"\xff\xfe kill myself\n", "--locale", "zh-TW"
    )
    assert (crisis["line"], crisis["risk"], crisis["kind"], crisis["locale"]) == (1, "crisis", "self", "zh-TW")
    assert crisis["matched"] == "不想活了"
    assert crisis["source"] == "rule"
    assert (plain["line"], plain["risk"], plain["kind"], plain["locale"]) == (3, "none", None, "en")
    assert broken["line"] == 4
    assert "text" not in crisis


def test_the_text_on_request_and_from_files(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("I had soup.\n" + "long " * 20_000, encoding="utf-8")
    first, second = screened(b"", str(file), "--echo")
    assert first["text"] == "I had soup."
    assert second["risk"] == "none"


def test_a_file_that_is_not_there_is_one_line() -> None:
    result = CliRunner().invoke(empathy_app, ["screen", "/nowhere.txt"])
    assert result.exit_code == 1
    assert "/nowhere.txt" in result.output


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200))
def test_any_bytes_are_screened(data: bytes) -> None:
    screened(data)


def test_the_classifier_is_measured_by_command() -> None:
    pytest.importorskip("sklearn")
    result = CliRunner().invoke(empathy_app, ["train-screen", "--measure"])
    assert result.exit_code == 0, result.output
    assert "| crisis | self |" in result.output
    assert "unseen lines, zh" in result.output


def test_false_alarms_in_a_counselling_corpus_are_counted(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    file = tmp_path / "pairs.json"
    pair = {"input": "我这周睡得不好", "output": "多久了？"}
    file.write_text(json.dumps([{"conversation": [pair]}]), encoding="utf-8")
    result = CliRunner().invoke(empathy_app, ["train-screen", "--measure", "--corpus", f"emollm={file}"])
    assert result.exit_code == 0, result.output
    assert "| 1 turns of emollm=" in result.output
    for wrong in ("emollm", f"other={file}", "smile=/nowhere.jsonl"):
        result = CliRunner().invoke(empathy_app, ["train-screen", "--measure", "--corpus", wrong])
        assert result.exit_code == 1
        assert len(result.output.strip().splitlines()[-1]) > 10
