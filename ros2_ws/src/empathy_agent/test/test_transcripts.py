"""Transcripts that a lab asked for."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from empathy_agent.chain import Chain, Layer
from empathy_agent.dialogue import Reply
from empathy_agent.safety import Risk
from empathy_agent.transcripts import DAY, Transcripts


def reply(session: str) -> Reply:
    return Reply(session, Chain({Layer.ANSWER: "I hear you."}), "en", Risk.NONE, model="m")


def test_turns_are_appended_for_the_owner_alone(tmp_path: Path) -> None:
    transcripts = Transcripts(tmp_path / "new")
    for post in ("one", "two"):
        transcripts.add(post, reply("a/../b"))
    (file,) = (tmp_path / "new").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [(line["post"], line["answer"], line["session_id"]) for line in lines] == [
        ("one", "I hear you.", "a/../b"),
        ("two", "I hear you.", "a/../b"),
    ]


def test_sessions_with_similar_names_have_files_of_their_own(tmp_path: Path) -> None:
    transcripts = Transcripts(tmp_path)
    for session in ("a/b", "a_b", ""):
        transcripts.add("p", reply(session))
    assert len(list(tmp_path.iterdir())) == 3
    assert transcripts.forget("a/b") == 1
    assert transcripts.forget("a/b") == 0
    assert transcripts.forget() == 2
    assert not list(tmp_path.iterdir())


def test_old_ones_are_deleted(tmp_path: Path) -> None:
    transcripts = Transcripts(tmp_path, retention_days=2.0)
    for session in "ab":
        transcripts.add("p", reply(session))
    old = next(tmp_path.glob("a.*"))
    os.utime(old, (time.time() - 3 * DAY,) * 2)
    transcripts.add("p", reply("b"))
    assert [file.name[0] for file in tmp_path.iterdir()] == ["b"]


def test_days_are_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="transcript_days"):
        Transcripts(tmp_path, retention_days=0.0)
