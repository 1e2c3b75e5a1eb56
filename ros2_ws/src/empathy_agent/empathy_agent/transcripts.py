"""Transcripts of conversations on disk, for labs that have asked their participants; off unless a folder is named."""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
import time
from pathlib import Path

from empathy_agent.chain import Layer
from empathy_agent.dialogue import Reply

DAY = 86400.0


class Transcripts:
    """Appends each turn to the file of its session (JSON Lines, readable by the owner alone).

    Files that were not added to for ``retention_days`` are deleted, when the object is made and with each turn.
    Raises ``ValueError`` for no positive number of days, ``OSError`` when the folder cannot be made.
    """

    def __init__(self, folder: Path, retention_days: float = 30.0) -> None:
        if not retention_days > 0.0:
            raise ValueError(f"transcript_days {retention_days} must be positive")
        self._folder, self._retention = folder, retention_days * DAY
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._expire()

    def add(self, post: str, reply: Reply) -> None:
        """Append a turn. Raises ``OSError``."""
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "session_id": reply.session_id,
            "post": post,
            "risk": reply.risk.name.lower(),
            "model": reply.model,
            "locale": reply.locale,
            **{layer.name.lower(): reply.chain[layer] for layer in Layer},
        }
        with self._lock:
            self._expire()
            descriptor = os.open(self._file(reply.session_id), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
                stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    def forget(self, session_id: str = "") -> int:
        """Delete the file of a session, or all; how many there were."""
        with self._lock:
            files = [self._file(session_id)] if session_id else list(self._folder.glob("*.jsonl"))
            there = [file for file in files if file.exists()]
            for file in there:
                file.unlink()
            return len(there)

    def _file(self, session_id: str) -> Path:
        readable = re.sub(r"[^A-Za-z0-9-]", "_", session_id)[:40] or "nobody"
        return self._folder / f"{readable}.{hashlib.sha256(session_id.encode()).hexdigest()[:8]}.jsonl"

    def _expire(self) -> None:
        for file in self._folder.glob("*.jsonl"):
            if file.stat().st_mtime < time.time() - self._retention:
                file.unlink(missing_ok=True)
