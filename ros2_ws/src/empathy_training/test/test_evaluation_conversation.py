"""The conversation test set: its checks against good, bad and thoughtless answers, running it, and the command."""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from chat_server import GOOD, GOOD_ZH, events, serve  # type: ignore[import-not-found]
from empathy_agent.engines import Decoding, Engine, EngineError
from empathy_agent.prompt import Message
from empathy_agent.safety import Risk
from empathy_agent.safety.gate import by_rules
from empathy_agent.safety.normalise import normalise
from empathy_training.commands.empathy import empathy_app
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

pytest.importorskip("sacrebleu", reason="needs requirements-empathy.txt")

from empathy_agent.language import is_in_language
from empathy_training.evaluation.conversation import (
    Answered,
    Transcript,
    baseline,
    converse,
    matching,
    read_transcripts,
)
from empathy_training.evaluation.conversation_checks import check_answer, mentions, repeated, sentences, states
from empathy_training.evaluation.conversation_report import judge, results, write_report
from empathy_training.evaluation.conversation_scripts import Script, TurnType, own_scripts, read_scripts

# What an agent says that comforts without having listened.
GENERIC = {
    "zh": [
        "听起来你真的很难过。有这样的感受很自然，不是你不够坚强。你能把这些说出来，已经很不容易了。"
        "今天可以先好好吃一顿饭，早点休息，别的事明天再想。这些日子里，有谁能让你靠一靠？",
        "我能感觉到，你心里很不好受。你的感受是真实的，也是有道理的。这段时间你真的很努力了。"
        "今天可以给自己十分钟，慢慢呼吸，让身体先缓一缓。如果能先改变一点点，你最希望是什么？",
        "一切都会好起来的，时间会冲淡一切，你要加油。",
    ],
    "en": [
        "It sounds like you are carrying a lot. What you feel makes sense, and it does not mean that you are weak. "
        "Putting this into words takes courage. Today you could eat something warm, go to bed early and leave the rest "
        "for tomorrow. Who can you lean on these days?",
        "I can hear how much this hurts. Your feelings are real, and there is good reason for them. You have been "
        "trying very hard. Today you could go for a walk, even a short one, and let some of the tension go. How do you "
        "feel now, having said this?",
        "Everything happens for a reason. Stay strong and think positive.",
    ],
}

# Types whose turns have no answer in common.
PARTICULAR = {TurnType.STORY, TurnType.CONTINUE, TurnType.QUESTION, TurnType.CORRECTION, TurnType.SMALL_TALK}

MINE = """\
- id: desk
  locale: en-GB
  about: a desk in the corridor
  turns:
    - type: story
      text: My desk was moved to the corridor on Monday.
      mentions_any: [desk, corridor, monday]
    - type: correction
      text: Sorry, it was Tuesday.
      mentions_any: [tuesday]
      avoids: [monday]
    - type: question
      text: What do I say to my boss?
      refers_to: [1]
      mentions_any: [light, noise, back]
    - type: goodbye
      text: I am off to bed now, good night.
- id: zhuozi
  locale: zh-CN
  about: 走廊里的桌子
  turns:
    - type: story
      text: 我的桌子被搬到走廊里了。
      mentions_any: [桌子, 走廊]
    - type: thanks
      text: 谢谢你听我说。
"""
SAID = {
    "desk": [
        "A desk in the corridor would sting anyone.",
        "Tuesday, then.",
        "Say that there is no light and ask to move back.",
        "Good night!",
    ],
    "zhuozi": ["换到走廊里坐，谁都会难受。", "不客气，我在。"],
}


def mine(folder: Path, text: str = MINE) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def transcript(script: Script, answers: Sequence[str], label: str = "one") -> Transcript:
    turns = [
        Answered(
            text=turn.text, answer=answer, by_model=True, risk=0, fault="", seconds_to_first=0.5, seconds_total=2.0
        )
        for turn, answer in zip(script.turns, answers, strict=True)
    ]
    return Transcript(label=label, model="m", seed=0, script=script.id, turns=tuple(turns))


def failing(script: Script, number: int, answer: str, before: Sequence[str] = ()) -> list[str]:
    return [name for name, ok in check_answer(script, number, answer, before).items() if not ok]


# The set ---------------------------------------------------------------------------------------------------------


def test_the_set_holds_what_it_promises() -> None:
    scripts = own_scripts()
    languages = Counter(script.language for script in scripts)
    assert languages["zh"] >= 36
    assert languages["en"] >= 28
    assert sum("Hant" in script.locale for script in scripts) >= 4
    assert len({script.id for script in scripts}) == len(scripts)
    assert all(3 <= len(script.turns) <= 6 for script in scripts)
    assert sum(script.ends_in_question_about_earlier for script in scripts) >= 12
    for language in languages:
        types = Counter(turn.type for script in scripts if script.language == language for turn in script.turns)
        assert set(types) == set(TurnType)
        assert min(types.values()) >= 3
    texts = [turn.text for script in scripts for turn in script.turns]
    assert len(set(texts)) == len(texts)


def test_nobody_in_it_is_in_a_crisis() -> None:
    for script in own_scripts():
        for turn in script.turns:
            assert by_rules(normalise(turn.text)).risk is not Risk.CRISIS, (script.id, turn.text)


@pytest.mark.parametrize("which", [0, 1])
def test_both_good_answers_to_every_turn_pass_as_a_conversation(which: int) -> None:
    for script in own_scripts():
        before: list[str] = []
        for number, turn in enumerate(script.turns):
            answer = turn.good[which]
            assert is_in_language(answer, script.language), (script.id, number + 1)
            assert failing(script, number, answer, before) == [], (script.id, number + 1, answer)
            before.append(answer)


def test_all_good_answers_to_a_turn_pass_alone() -> None:
    for script in own_scripts():
        for number, turn in enumerate(script.turns):
            for answer in turn.good:
                assert failing(script, number, answer) == [], (script.id, number + 1, answer)


def test_bad_thoughtless_and_echoed_answers_fail_every_turn() -> None:
    for script in own_scripts():
        for number, turn in enumerate(script.turns):
            for answer in (*turn.bad, *GENERIC[script.language], turn.text, "", "……"):
                assert failing(script, number, answer), (script.id, number + 1, answer)


def test_answers_to_something_else_seldom_pass() -> None:
    scripts = own_scripts()
    late, late_passed = 0, 0
    for script in scripts:
        for number in range(1, len(script.turns)):
            for answer in script.turns[number - 1].good:
                late += 1
                late_passed += not failing(script, number, answer)
    assert late_passed / late < 0.15
    generator = np.random.default_rng(0)
    other, other_passed = 0, 0
    for script in scripts:
        for number, turn in enumerate(script.turns):
            if turn.type not in PARTICULAR:
                continue
            pool = [
                answer
                for one in scripts
                if one.language == script.language and one is not script
                for same in one.turns
                if same.type is turn.type
                for answer in same.good
            ]
            for index in generator.integers(len(pool), size=10):
                other += 1
                other_passed += not failing(script, number, pool[index])
    assert other_passed / other < 0.1


@pytest.mark.parametrize("name", ["parrot", "echo"])
def test_the_baselines_lose(name: str) -> None:
    scripts = own_scripts()
    found = results(baseline(name, scripts), {script.id: script for script in scripts})
    assert found.dialogues == len(scripts)
    for language in ("all", "zh", "en"):
        assert found.figures[language]["right"].value < 0.02
        assert found.figures[language]["earlier"].value == 0.0
    assert all(one["right"].value < 0.1 for one in found.types.values())
    if name == "parrot":
        assert found.figures["all"]["rouge_l"].value == 1.0
        assert found.figures["all"]["repeated"].value == 1.0
        assert found.figures["all"]["openings"].value < 0.02
        assert found.commonest_opening_share > 0.4


# The checks ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "stem", "held"),
    [
        ("Your exams are over.", "exam", True),
        ("The Ex's new flat", "ex", True),
        ("an example", "ex", False),
        ("It was his history.", "hi", False),
        ("Hi!", "hi", True),
        ("You don’t have to.", "don't have to", True),
        ("a  sticky\nnote", "sticky note", True),
        ("unfair", "fair", False),
        ("Say “I missed you” to her.", '"i', True),
        ("婚禮上點個頭就好", "婚礼", True),
        ("点个头就好", "婚礼", False),
        ("你拿到ｏｆｆｅｒ了", "offer", True),
    ],
)
def test_mentions(answer: str, stem: str, held: bool) -> None:
    assert mentions(answer, [stem]) is held


@pytest.mark.parametrize(
    ("answer", "phrase", "stated"),
    [
        ("Your friend hurt you.", "your friend", True),
        ("So it is your sister, not your friend.", "your friend", False),
        ("I wrote your friend, I am sorry.", "your friend", False),
        ("Your friend was my mistake.", "your friend", False),
        ("It is not easy, your friend hurt you.", "your friend", True),
        ("People will say that she was just a cat.", "just a cat", False),
        ("She was just a cat.", "just a cat", True),
        ("你朋友这样说，太伤人了。", "你朋友", True),
        ("原来是你姐姐，不是你朋友。", "你朋友", False),
        ("我把她当成你朋友了，抱歉。", "你朋友", False),
        ("你朋友那句是我记错了。", "你朋友", False),
        ("这没什么可恭喜的。", "恭喜", False),
        ("恭喜他们！", "恭喜", True),
        ("我特别建议你去。", "建议你", True),
    ],
)
def test_states(answer: str, phrase: str, stated: bool) -> None:
    assert states(answer, phrase) is stated


def test_sentences() -> None:
    assert sentences("It costs 3.5 pounds. Yes! “Go…” he said. …") == ["It costs 3.5 pounds.", "Yes!", "“Go…” he said."]
    assert sentences("你好。真的吗？！“好吧。”他说\n嗯……也许") == [
        "你好。",
        "真的吗？！",
        "“好吧。”",
        "他说",
        "嗯……也许",
    ]
    assert sentences("……") == []


@given(st.text(max_size=200))
def test_sentences_leave_no_word_out(text: str) -> None:
    from empathy_training.learning.rewards import words

    assert [word for one in sentences(text) for word in words(one)] == words(text)


def test_repeated_counts_sentences_of_some_length() -> None:
    assert repeated("Good night. You told me about the desk!", ["You told me about the desk. Good night."]) == 1.0
    assert repeated("Good night.", ["Good night."]) == 0.0
    assert repeated("你说到桌子了。走廊里很冷吧？", ["你说到桌子了！"]) == 0.5
    assert repeated("", ["Good night."]) == 0.0


def test_what_fails_is_named(tmp_path: Path) -> None:
    script = read_scripts(mine(tmp_path))[0]
    assert failing(script, 0, "That is a pity.") == ["mentions_any"]
    assert failing(script, 0, "My desk was moved to the corridor on Monday.") == ["own_words"]
    assert failing(script, 0, " ".join(["The desk."] * 10)) == ["max_sentences"]
    assert failing(script, 1, "On Tuesday, and I thought Monday.") == []
    assert failing(script, 1, "Monday or Tuesday, it hurts.") == ["avoids"]
    assert failing(script, 1, "So Tuesday it was.", ["So Tuesday it was."]) == ["fresh"]
    assert failing(script, 3, "Good night, will you sleep?") == ["no_question"]
    assert failing(script, 3, "The desk is heavy.") == ["fits_type"]
    assert failing(script, 3, "Good night.", ["Good night."]) == []
    assert set(failing(script, 3, " ")) == {"own_words", "fits_type", "avoids", "max_sentences", "no_question"}


# Reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("type: goodbye", "type: shout", r"line 16: type: Input should be 'story'"),
        ("refers_to: [1]", "refers_to: [3]", r"line 1: turn 3 refers to \[3\]"),
        ("refers_to: [1]", "refers_too: [1]", r"line 14: refers_too: Extra inputs"),
        ("[light, noise, back]", "[light, 3, back]", r"line 15: mentions_any: Input should be a valid string"),
        ("      mentions_any: [tuesday]\n", "", r"line 8: a turn of type correction needs mentions_any"),
        ("locale: en-GB", "locale: de", r"line 2: locale: String should match"),
        ("id: zhuozi", "id: desk", r"line 18: the id desk stands twice"),
        ("avoids: [monday]", "avoids: [monday", r"line 1\d is not YAML"),
        ("- id: desk", "id: desk", r"is not YAML"),
        ("about: a desk", "about: \x07", r"is not YAML"),
    ],
)
def test_a_fault_is_told_with_file_and_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in MINE
    path = mine(tmp_path, MINE.replace(old, new, 1))
    with pytest.raises(ValueError, match=message) as raised:
        read_scripts(path)
    assert str(path) in str(raised.value)


@given(st.one_of(st.binary(max_size=80), st.text(max_size=80).map(str.encode)))
def test_any_bytes_are_dialogues_or_a_value_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"any\.yaml"):
        read_scripts(path)


@given(st.data())
def test_a_damaged_file_is_dialogues_or_a_value_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    lines = MINE.splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    lines[index] = data.draw(
        st.sampled_from([lines[index][:-3], lines[index] + ": x", "  - ", "", "&a *a", "2024-99-99"])
    )
    path = tmp_path_factory.getbasetemp() / "damaged.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    try:
        read_scripts(path)
    except ValueError as error:
        assert "damaged.yaml" in str(error)  # noqa: PT017 - it may be whole, too


# Running ---------------------------------------------------------------------------------------------------------


class Scripted(Engine):
    """Says the next answer of a list for each prompt; None fails."""

    model = "scripted"
    context = 100_000
    supports_grammar = False
    scaffold = False
    worked_examples = False

    def __init__(self, answers: Sequence[str | None]) -> None:
        self.answers = list(answers)
        self.seeds: list[int | None] = []
        self.prompts: list[Sequence[Message]] = []

    def stream(self, messages: Sequence[Message], decoding: Decoding, cancelled: threading.Event) -> Iterator[str]:
        self.seeds.append(decoding.seed)
        self.prompts.append(messages)
        answer = self.answers.pop(0) if self.answers else None
        if answer is None:
            raise EngineError("the plug is out")
        frame = GOOD if answer.isascii() else GOOD_ZH
        yield re.sub("<answer>.*</answer>", f"<answer>{answer}</answer>", frame)

    def close(self) -> None:
        pass


def opener(*answers: str | None) -> tuple[list[Scripted], Callable[[], Engine]]:
    """An engine that says these, and the list it will stand in once it was opened."""
    opened: list[Scripted] = []

    def open_engine() -> Engine:
        opened.append(Scripted(answers))
        return opened[-1]

    return opened, open_engine


def test_dialogues_are_held_kept_and_taken_up(tmp_path: Path) -> None:
    scripts, path = read_scripts(mine(tmp_path)), tmp_path / "out" / "transcripts.jsonl"
    counted: list[int] = []
    opened, open_engine = opener(*SAID["desk"])
    (first,) = converse(scripts[:1], "one", "m", open_engine, path, 7, counted.append)
    assert [turn.answer for turn in first.turns] == SAID["desk"]
    assert all(turn.by_model and not turn.fault for turn in first.turns)
    assert sum(counted) == 4
    (engine,) = opened
    assert "no light" not in str(engine.prompts[2])
    assert SAID["desk"][0] in str(engine.prompts[1])
    assert len(set(engine.seeds)) == 4
    assert None not in engine.seeds

    again, open_again = opener(*SAID["zhuozi"])
    both = converse(scripts, "one", "m", open_again, path, 7)
    assert both[0] == first
    assert [turn.answer for turn in both[1].turns] == SAID["zhuozi"]
    assert SAID["desk"][0] not in str(again[0].prompts)
    assert read_transcripts(path) == both
    never, open_never = opener()
    assert converse(scripts, "one", "m", open_never, path, 7) == both
    assert never == []
    # The same seed draws the same, whatever was drawn before.
    repeated_run, open_repeated = opener(*SAID["desk"])
    converse(scripts[:1], "two", "m", open_repeated, path, 7)
    assert repeated_run[0].seeds == engine.seeds
    with pytest.raises(ValueError, match="holds one as model m with seed 7, not as m with 8; name another label"):
        converse(scripts, "one", "m", open_never, path, 8)
    with pytest.raises(ValueError, match="the label echo is that of a baseline"):
        converse(scripts, "echo", "m", open_never, path, 8)


def test_a_changed_dialogue_is_held_anew(tmp_path: Path) -> None:
    (script, _), path = read_scripts(mine(tmp_path)), tmp_path / "transcripts.jsonl"
    converse([script], "one", "m", opener(*SAID["desk"])[1], path)
    changed = read_scripts(mine(tmp_path, MINE.replace("on Monday.", "on Monday morning.")))[0]
    assert matching(read_transcripts(path), [changed]) == {}
    opened, open_engine = opener(*SAID["desk"])
    (found,) = converse([changed], "one", "m", open_engine, path)
    assert len(opened) == 1
    assert matching(read_transcripts(path), [changed]) == {"desk": found}


def test_a_turn_without_a_reply_of_the_model_is_counted(tmp_path: Path) -> None:
    script = read_scripts(mine(tmp_path))[0]
    failures: list[str | None] = [None] * 8  # more than any engine tries again
    answers = [SAID["desk"][0], *failures]
    (found,) = converse([script], "one", "m", opener(*answers)[1], tmp_path / "t.jsonl")
    assert [turn.by_model for turn in found.turns] == [True, False, False, False]
    assert all("plug is out" in turn.fault for turn in found.turns[1:])
    figures = results([found], {script.id: script}).figures["all"]
    assert figures["failed"].value + 4 * figures["fixed"].value == 3
    assert figures["right"].value == 0.25


def test_an_engine_that_says_nothing_ends_the_run(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    with pytest.raises(ValueError, match=r"model m answered no turn of 2 dialogues in a row.*the plug is out"):
        converse(read_scripts(mine(tmp_path)), "one", "m", opener()[1], path)
    assert path.read_text() == ""


def test_a_damaged_transcript_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"label": "a"}\n')
    with pytest.raises(ValueError, match=r"t\.jsonl, line 1: Field required; delete the line"):
        read_transcripts(tmp_path / "t.jsonl")


# Figures ---------------------------------------------------------------------------------------------------------


def test_figures_worked_out_by_hand(tmp_path: Path) -> None:
    scripts = {script.id: script for script in read_scripts(mine(tmp_path))}
    answers = ["The desk is cold.", "The desk is old, Tuesday.", "不知道。", ""]
    turns = judge(transcript(scripts["desk"], answers), scripts["desk"])
    assert [turn.right for turn in turns] == [True, True, False, False]
    # Three of four and three of five words: precision .6, recall .75.
    assert turns[1].rouge_l == pytest.approx(2 * 0.6 * 0.75 / (0.6 + 0.75))
    assert [turn.in_language for turn in turns] == [True, True, False, False]
    both = [transcript(scripts["desk"], answers), transcript(scripts["zhuozi"], SAID["zhuozi"])]
    found = results(both, scripts)
    assert found.figures["all"]["right"].value == pytest.approx((0.5 + 1.0) / 2)
    assert found.figures["en"]["right"].value == 0.5
    assert found.figures["zh"]["right"].value == 1.0
    assert found.figures["all"]["failed"].value == 1.0
    assert found.figures["en"]["earlier"].value == 0.0
    assert found.figures["en"]["openings"].value == pytest.approx(2 / 3)
    assert found.figures["en"]["rouge_l_worst"].value == turns[1].rouge_l
    assert found.types["story"]["right"].value == 1.0
    assert found.types["goodbye"]["checks"].value == 0.0
    assert found.lengths == {
        "zh": {"story": 11.0, "thanks": 5.0},
        "en": {"story": 4.0, "correction": 5.0, "question": 3.0, "goodbye": 0.0},
    }
    assert (found.commonest_opening, found.commonest_opening_share) == ("the desk is", pytest.approx(2 / 6))


def test_the_report_can_be_read(tmp_path: Path) -> None:
    scripts = read_scripts(mine(tmp_path))
    own = [transcript(script, SAID[script.id]) for script in scripts]
    write_report(tmp_path / "out", {"one": own, "parrot": baseline("parrot", scripts[:1])}, scripts)
    table = (tmp_path / "out" / "conversation.md").read_text(encoding="utf-8")
    assert "| turns right | 100 % (100–100) | 0 % (0–0) |" in table
    assert "compare only figures of the same dialogues" in table
    assert "## Chinese" in table
    figures = json.loads((tmp_path / "out" / "conversation.json").read_text(encoding="utf-8"))
    assert figures["one"]["figures"]["all"]["total"] == {"value": 2.0, "low": 2.0, "high": 2.0}
    assert figures["parrot"]["figures"]["all"]["total"]["value"] is None
    reading = (tmp_path / "out" / "dialogues.md").read_text(encoding="utf-8")
    assert "> one: Tuesday, then.\n" in reading
    assert re.search(r"> parrot: That sounds really hard.*\[.*mentions_any.*\]", reading)


# The command -----------------------------------------------------------------------------------------------------


def run(*arguments: str) -> Result:
    return CliRunner().invoke(empathy_app, ["converse", *arguments])


def framed(answer: str) -> list[bytes]:
    return events(re.sub("<answer>.*</answer>", f"<answer>{answer}</answer>", GOOD if answer.isascii() else GOOD_ZH))


def test_the_command_runs_and_scores_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine(tmp_path)
    monkeypatch.chdir(tmp_path)
    with serve(*(framed(answer) for answer in SAID["desk"])) as server:
        options = ["--server-url", server.url, "--model", "m", "--dialogues", "mine.yaml", "--out", "out"]
        done = run(*options, "--only", "en")
        assert done.exit_code == 0, done.stderr
        assert len(server.requests) == 4
        again = run(*options, "--only", "en", "--json")
        assert len(server.requests) == 4
    assert "held all of it; for a changed agent give another --label or --out" in again.stderr
    figures = json.loads(again.stdout)
    assert {"m", "parrot", "echo"} <= set(figures)
    assert figures["m"]["figures"]["all"]["right"]["value"] == 1.0
    assert figures["echo"]["dialogues"] == 1
    before = (tmp_path / "out" / "conversation.md").read_bytes()
    (tmp_path / "out" / "conversation.md").unlink()
    scored = run("--score", "out", "--dialogues", "mine.yaml")
    assert scored.exit_code == 0, scored.stderr
    assert (tmp_path / "out" / "conversation.md").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--score", "nothing"], "nothing/transcripts.jsonl"),
        (["--score", "out", "--model", "m"], "--score takes no --model"),
        (["--only", "fr"], "--only fr is neither zh nor en"),
        (["--dialogues", "none.yaml"], "none.yaml"),
        (["--dialogues", "bad.yaml"], "bad.yaml, line 2: locale: Field required"),
        (["--dialogues", "mine.yaml", "--model", "nope"], "unknown model 'nope'"),
        (["--dialogues", "mine.yaml", "--server-url", "http://127.0.0.1:9"], "needs the parameter model"),
        (["--score", "old"], "holds no transcript of the chosen dialogues"),
    ],
)
def test_errors_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    mine(tmp_path)
    (tmp_path / "bad.yaml").write_text("# mine\n- id: desk\n")
    script = read_scripts(mine(tmp_path))[0]
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "transcripts.jsonl").write_text(transcript(script, SAID["desk"]).model_dump_json() + "\n")
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (1, "")
    assert message in done.stderr
    assert len([line for line in done.stderr.splitlines() if line.startswith("error: ")]) == 1


def test_help_has_examples() -> None:
    done = run("--help")
    assert done.exit_code == 0
    assert "imuface empathy converse --score out/empathy/conversation" in done.stdout
