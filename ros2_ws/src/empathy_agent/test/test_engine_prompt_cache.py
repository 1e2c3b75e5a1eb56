"""Evaluated prompts on disk: whole or not there, never without bound."""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from pathlib import Path

import pytest
from empathy_agent.engines.prompt_cache import PromptCache, default_folder


def add(cache: PromptCache, name: str, content: bytes = b"state", age: float = 0.0) -> None:
    partial = cache.new()
    partial.write_bytes(content)
    cache.add(partial, name)
    found = cache.find(name)
    assert found is not None
    os.utime(found, (time.time() - age,) * 2)


def test_what_was_added_is_found(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path / "earnest" / "prompts")
    assert cache.find("a") is None
    add(cache, "a", b"one")
    add(cache, "b", b"two")
    add(cache, "a", b"three")
    found = PromptCache(cache.folder).find("a")
    assert found is not None
    assert found.read_bytes() == b"three"
    assert len(list(cache.folder.iterdir())) == 2
    assert stat.S_IMODE(cache.folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("damage", [b"", b"sta", b"stale", b"state and more"], ids=repr)
def test_damage_is_seen_and_removed(damage: bytes, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    cache = PromptCache(tmp_path)
    add(cache, "a")
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage)
    with caplog.at_level(logging.WARNING):
        assert cache.find("a") is None
    assert f"{file} is damaged and was removed" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_the_least_recently_used_make_room(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, most_files=3)
    for number in range(3):
        add(cache, f"n{number}", age=100.0 - number)
    assert cache.find("n0") is not None  # used just now
    add(cache, "n3")
    assert {name for name in ("n0", "n1", "n2", "n3") if cache.find(name)} == {"n0", "n2", "n3"}


def test_size_is_bounded_but_one_is_kept(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, most_bytes=1000)
    for number in range(3):
        add(cache, f"n{number}", bytes(400), age=100.0 - number)
    assert {file.name[:2] for file in tmp_path.iterdir()} == {"n1", "n2"}
    add(cache, "big", bytes(5000))
    assert {file.name[:3] for file in tmp_path.iterdir()} == {"big"}


def test_what_nobody_finished_is_removed_in_time(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path)
    abandoned, busy = cache.new(), cache.new()
    abandoned.write_bytes(b"half")
    busy.write_bytes(b"half")
    os.utime(abandoned, (time.time() - 3600.0,) * 2)
    add(cache, "a")
    assert not abandoned.exists()
    assert busy.exists()


def test_many_at_once(tmp_path: Path) -> None:
    cache = PromptCache(tmp_path, most_files=4)
    failures: list[OSError] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                partial = cache.new()
                partial.write_bytes(bytes([number, turn]) * 100)
                cache.add(partial, f"n{turn % 6}")
                cache.find(f"n{(turn + number) % 6}")
        except OSError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert not list(tmp_path.glob("*.partial"))


def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EARNEST_PROMPTS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "earnest" / "prompts"
    monkeypatch.setenv("EARNEST_PROMPTS", "~/elsewhere")
    assert default_folder() == Path.home() / "elsewhere"
