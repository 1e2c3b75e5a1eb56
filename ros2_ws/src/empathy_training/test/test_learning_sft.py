"""Stage 1 with a real, tiny model: it learns, it goes on after a kill, it refuses what is wrong."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from empathy_training.commands.empathy import empathy_app
from empathy_training.corpus.examples import Example, write_examples
from sample import make_example  # type: ignore[import-not-found]
from typer.testing import CliRunner, Result

pytest.importorskip("trl", reason="needs requirements-empathy.txt")

COMMAND = [
    sys.executable,
    "-c",
    "from empathy_training.commands.empathy import empathy_app; empathy_app()",
]
SETTINGS = "{accumulation: 2, learning_rate: 0.02, save_steps: 3, max_length: 600, rank: 8}"


def example(number: int, **changes: str) -> Example:
    fields = {
        "id": f"en-{number}",
        "post": f"My desk was moved to the corridor on day {number}, and nobody says why.",
        "L1": "You feel pushed out.",
        "L2": "You may read the move as a verdict.",
        "L3": "You want to be understood.",
        "L4": "Name the corridor first.",
    }
    return make_example(**(fields | changes))


def run(folder: Path, *arguments: str) -> Result:
    """The command in this process: another one would import torch and trl for ten seconds before it does anything."""
    with contextlib.chdir(folder):
        return CliRunner().invoke(empathy_app, arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a base, settings and data lie."""
    folder = tmp_path_factory.mktemp("sft")
    made = run(folder, "base", "tiny", "--output", "tiny")
    assert made.exit_code == 0, made.stderr
    write_examples(folder / "data.jsonl", [example(number) for number in range(10)])
    (folder / "s.yaml").write_text(SETTINGS)
    return folder


@pytest.fixture(scope="module")
def card(folder: Path) -> dict:
    """The card of a whole run of nine steps."""
    done = run(folder, *arguments("whole"), "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def arguments(output: str, data: str = "data.jsonl") -> list[str]:
    return ["sft", data, "--base", "tiny", "--settings", "s.yaml", "--max-steps", "9", "--output", output]


def test_the_loss_falls_and_the_run_leaves_all_that_is_needed(folder: Path, card: dict) -> None:
    figures = card["figures"]
    assert figures["held_out_loss"] < figures["held_out_loss_first"] - 0.1
    assert (figures["steps"], figures["training_conversations"], figures["held_out_conversations"]) == (9, 9, 1)
    assert card["data"]["sources"] == {"a test (MIT)": 10}
    for name in (
        "adapter/adapter_model.safetensors",
        "adapter/card.json",
        "settings.yaml",
        "metrics.jsonl",
        "loss.png",
    ):
        assert (folder / "whole" / name).stat().st_size > 0
    assert list((folder / "whole").rglob("events.out.tfevents*"))


def test_a_run_that_was_killed_goes_on_to_the_same_loss(folder: Path, card: dict) -> None:
    with subprocess.Popen([*COMMAND, *arguments("killed")], cwd=folder, stderr=subprocess.DEVNULL) as process:
        end = time.monotonic() + 200
        while not (folder / "killed" / "checkpoints" / "checkpoint-3" / "trainer_state.json").exists():
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGKILL)
    done = run(folder, *arguments("killed"), "--json")
    assert done.exit_code == 0, done.stderr
    again = json.loads(done.stdout)
    assert again["figures"]["held_out_loss"] == pytest.approx(card["figures"]["held_out_loss"], rel=1e-5)
    reports = [json.loads(line) for line in (folder / "killed" / "metrics.jsonl").read_text().splitlines()]
    assert [report["step"] for report in reports if "loss" in report] == list(range(1, 10))


def test_a_folder_of_another_run_is_left_alone(folder: Path, card: dict) -> None:
    refused = run(folder, *arguments("whole"), "--seed", "5")
    assert refused.exit_code == 1
    assert "whole holds a run with seed 0 instead of 5" in refused.stderr
    assert isinstance(refused.exception, SystemExit)


def test_what_cannot_be_learned_from_is_counted(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    lone = example(1, L1="", L2="", L3="", L4="")
    write_examples(folder / "lone.jsonl", [lone])
    with (folder / "lone.jsonl").open("a") as stream:
        stream.write('{"id": 5}\n')
    refused = run(folder, *arguments("lone", "lone.jsonl"))
    assert refused.exit_code == 1
    assert "lone.jsonl: skipped 1: id: Input should be a valid string" in refused.stderr
    assert "left out 1 examples without a chain" in caplog.text
    assert "0 examples are left to learn from" in refused.stderr


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("{rang: 8}", "hold rang; known are base"),
        ("[1]", "are not a mapping"),
        ("{rank: many}", "setting rank is 'many', expected a value like 16"),
        ("{rank: 0}", "at least 1"),
        ("{held_out: 1.5}", "held_out between 0 and 1"),
        ("{chain: 1}", "setting chain is 1, expected a value like True"),
        ("{a: b: c}", "are not YAML"),
    ],
)
def test_wrong_settings_are_named(folder: Path, settings: str, message: str) -> None:
    from empathy_training.learning.settings import read_settings
    from empathy_training.learning.sft import SftSettings

    path = folder / "wrong.yaml"
    path.write_text(settings)
    with pytest.raises(ValueError, match=message):
        read_settings(SftSettings, path)


def test_a_run_that_never_began_leaves_its_folder_free(tmp_path: Path) -> None:
    from empathy_training.learning.settings import keep_settings
    from empathy_training.learning.sft import SftSettings

    keep_settings(SftSettings(base="misspelt"), tmp_path)
    keep_settings(SftSettings(base="right"), tmp_path)
    (tmp_path / "metrics.jsonl").write_text("")
    with pytest.raises(ValueError, match="holds a run with base 'right' instead of 'wrong'"):
        keep_settings(SftSettings(base="wrong"), tmp_path)


def test_a_base_that_is_not_there_is_named(folder: Path) -> None:
    from empathy_agent.engines.base_model import load_base

    with pytest.raises(ValueError, match=r"base model .*nowhere cannot be loaded: .*imuface empathy base"):
        load_base(str(folder / "nowhere"))


TALK = [
    example(1, session="talk", post="My sister moved to Oporto.", face="the face looked sad at times, valence -0.2"),
    example(2, session="talk", post="Should I call her tonight or wait?", answer="Tonight, she will be alone."),
]


def test_a_conversation_is_learned_as_the_agent_holds_it() -> None:
    """What stands before a reply in training is what the agent sends, so that nothing is evaluated twice."""
    from empathy_agent.engines.openai_server import OpenAIServer
    from empathy_agent.request import request
    from empathy_agent.session import Exchange, Memory
    from empathy_training.learning.sft import messages

    class Trained(OpenAIServer):
        worked_examples = False

    engine = Trained("http://127.0.0.1:1", "m")
    talk = messages(TALK)
    first, _ = request(engine, "en", TALK[0].post, affect=TALK[0].face)
    memory = Memory([Exchange(TALK[0].post, TALK[0].answer, first[-1]["content"], TALK[0].chain.serialise())])
    second, _ = request(engine, "en", TALK[1].post, memory=memory)
    assert talk[: len(first)] == first
    assert talk[: len(second)] == second
    assert talk[-1] == {"role": "assistant", "content": TALK[1].chain.serialise()}
    assert "the face looked sad" in talk[1]["content"]


def test_the_loss_counts_what_the_model_writes_and_nothing_else(folder: Path, card: dict) -> None:
    from empathy_training.learning.sft import messages, training_row
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder / "tiny")
    row = training_row(tokenizer, messages(TALK))
    learned = tokenizer.decode([token for token in row["labels"] if token >= 0])
    assert learned.count("<|im_end|>") == 2
    assert [turn.chain.serialise() for turn in TALK] == [part.strip() for part in learned.split("<|im_end|>")[:2]]
    whole = tokenizer.apply_chat_template(messages(TALK), tokenize=False)
    assert tokenizer.decode(row["input_ids"]) == whole


def test_a_run_goes_on_from_an_adapter_and_keeps_to_its_blocks(folder: Path, card: dict) -> None:
    (folder / "top.yaml").write_text(
        "{accumulation: 2, learning_rate: 0.02, rank: 4, layers: 1, checkpointing: false, max_steps: 3}"
    )
    first = run(folder, "sft", "data.jsonl", "--base", "tiny", "--settings", "top.yaml", "--output", "top", "--json")
    assert first.exit_code == 0, first.stderr
    config = json.loads((folder / "top" / "adapter" / "adapter_config.json").read_text())
    assert "layers\\.(3)\\." in config["target_modules"]
    (folder / "on.yaml").write_text(
        f"{{accumulation: 2, learning_rate: 0.001, start: {folder / 'top' / 'adapter'}, max_steps: 1}}"
    )
    second = run(folder, "sft", "data.jsonl", "--base", "tiny", "--settings", "on.yaml", "--output", "on", "--json")
    assert second.exit_code == 0, second.stderr
    before, after = (json.loads(done.stdout)["figures"] for done in (first, second))
    assert after["held_out_loss_first"] == pytest.approx(before["held_out_loss"], rel=1e-4)
