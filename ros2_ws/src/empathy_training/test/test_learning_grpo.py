"""Stage 3 with a real, tiny model and a real, small reward model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl", reason="needs requirements-empathy.txt")

from empathy_agent.engines.base_model import save_tiny_base
from empathy_training.corpus.examples import read_examples
from empathy_training.corpus.seed import SEED_FILES
from empathy_training.learning import grpo, reward, sft
from empathy_training.learning.rewards import repetition_reward


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Folders of a base, an adapter of stage 1 and a reward model."""
    folder = tmp_path_factory.mktemp("parts")
    examples = read_examples(SEED_FILES[1]).examples[:16]
    save_tiny_base(folder / "tiny", [example.post for example in examples])
    base = str(folder / "tiny")
    sft.train(examples[:4], sft.SftSettings(base=base, max_steps=1, accumulation=1, max_length=4000), folder / "sft")
    reward.train(examples, reward.RewardSettings(max_steps=2, batch=8), folder / "reward")
    return {"base": base, "adapter": str(folder / "sft" / "adapter"), "reward": str(folder / "reward" / "model")}


@pytest.mark.parametrize("adapted", [True, False])
def test_a_run_reports_every_reward_and_leaves_an_adapter(parts: dict[str, Any], tmp_path: Path, adapted: bool) -> None:
    named = parts if adapted else parts | {"adapter": ""}
    settings = grpo.GrpoSettings(**named, max_steps=2, replies=2, max_tokens=12, save_steps=1)
    card = grpo.train(read_examples(SEED_FILES[1]).examples[:4], settings, tmp_path)
    assert card["figures"]["steps"] == 2
    assert set(card["figures"]["reward_last_tenth"]) == {"total", "format", "answer", "length", "repetition"}
    assert card["figures"]["reward_last_tenth"]["format"] == 0.0
    reports = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert sum("rewards/answer/mean" in report for report in reports) == 2
    for name in ("adapter/adapter_model.safetensors", "adapter/card.json", "reward.png", "settings.yaml"):
        assert (tmp_path / name).stat().st_size > 0


def test_a_run_that_was_stopped_goes_on_to_the_same_rewards(
    parts: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = grpo.GrpoSettings(**parts, max_steps=3, replies=2, max_tokens=12, save_steps=1, learning_rate=1e-2)
    examples = read_examples(SEED_FILES[1]).examples[:4]
    whole = grpo.train(examples, settings, tmp_path / "whole")
    calls = 0

    def stopped(replies: list[str]) -> list[float]:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return repetition_reward(replies)

    with monkeypatch.context() as patch:
        patch.setattr(grpo, "repetition_reward", stopped)
        with pytest.raises(KeyboardInterrupt):
            grpo.train(examples, settings, tmp_path / "stopped")
    again = grpo.train(examples, settings, tmp_path / "stopped")
    assert again["figures"] == whole["figures"]
    losses = [
        [json.loads(line).get("loss") for line in (tmp_path / name / "metrics.jsonl").read_text().splitlines()]
        for name in ("whole", "stopped")
    ]
    assert losses[0] == losses[1]


def test_what_is_missing_is_named(parts: dict[str, Any], tmp_path: Path) -> None:
    examples = read_examples(SEED_FILES[1]).examples[:2]
    with pytest.raises(ValueError, match=r"reward is missing: .*imuface empathy reward"):
        grpo.GrpoSettings(base=parts["base"])
    with pytest.raises(ValueError, match="replies are at least 2"):
        grpo.GrpoSettings(**parts, replies=1)
    with pytest.raises(ValueError, match="holds no reward model"):
        grpo.train(examples, grpo.GrpoSettings(**(parts | {"reward": str(tmp_path)})), tmp_path / "a")
    with pytest.raises(ValueError, match=r"adapter .* does not fit"):
        grpo.train(examples, grpo.GrpoSettings(**(parts | {"adapter": str(tmp_path)})), tmp_path / "b")
    with pytest.raises(ValueError, match="no example is left"):
        grpo.train([], grpo.GrpoSettings(**parts), tmp_path / "c")
