"""What a robot does beside the words."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from empathy_agent.safety import Risk
from empathy_agent.telling import Sentence, State
from empathy_agent.turns import KINDS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imuface_robot.cues import NOD_PERIOD, Cue, Kind, Listener, beside, seconds_to_say
from imuface_robot.mirror import HOSTILE, Face

RANGE = {Kind.TILT: (-1.0, 1.0), Kind.POSTURE: (-1.0, 1.0)}
HAPPY = Face("happy", 0.9, 0.9)
SAD = Face("sad", 0.9, -0.8)


def of(cues: list[Cue], kind: Kind) -> list[Cue]:
    return [cue for cue in cues if cue.kind is kind]


def amount(cues: list[Cue], kind: Kind) -> float:
    (cue,) = of(cues, kind)
    return cue.amount


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(max_size=400),
    index=st.integers(0, 50),
    risk=st.sampled_from(Risk),
    state=st.sampled_from(State),
    turn=st.sampled_from([*KINDS, "", "new"]),
    face=st.builds(Face, st.sampled_from([*HOSTILE, "happy", "neutral", "?"]), st.floats(), st.floats()),
)
def test_cues_of_any_sentence_and_face_stay_in_their_ranges(
    text: str, index: int, risk: Risk, state: State, turn: str, face: Face
) -> None:
    sentence = Sentence("r", "s", index, state, text, "zh-CN", risk, turn)
    cues = beside(sentence, face)
    assert cues == beside(sentence, face)
    for cue in cues:
        low, high = RANGE.get(cue.kind, (0.0, 1.0))
        assert low <= cue.amount <= high
        assert cue.delay >= 0.0
        assert 0.0 < cue.duration < math.inf
    assert not (face.hostile and amount(cues, Kind.SMILE) > 0.0) if of(cues, Kind.SMILE) else True


@pytest.mark.parametrize("face", [HAPPY, SAD, Face("angry", 0.9, -0.9)])
def test_a_crisis_is_met_calm_and_attentive(sentence: Callable[..., Sentence], face: Face) -> None:
    cues = beside(sentence("Call now. Are you safe?", 1, risk=Risk.CRISIS, turn="greeting"), face)
    assert amount(cues, Kind.GAZE) == 1.0
    assert amount(cues, Kind.SMILE) == amount(cues, Kind.TILT) == 0.0
    assert amount(cues, Kind.POSTURE) > 0.0
    assert not of(cues, Kind.NOD)


def test_the_face_is_given_back_within_limits_and_anger_never(sentence: Callable[..., Sentence]) -> None:
    talk = sentence(turn="question")
    assert amount(beside(talk, HAPPY), Kind.SMILE) == pytest.approx(0.4)
    assert amount(beside(talk, Face("happy", 0.2, 0.9)), Kind.SMILE) == pytest.approx(0.1)
    assert amount(beside(talk, SAD), Kind.CONCERN) == pytest.approx(0.4)
    for expression in HOSTILE:
        angry = beside(talk, Face(expression, 0.9, -1.0))
        assert amount(angry, Kind.SMILE) == amount(angry, Kind.CONCERN) == 0.0
    assert amount(beside(sentence(turn="story"), HAPPY), Kind.SMILE) == 0.0
    assert amount(beside(sentence(risk=Risk.CONCERN, turn="thanks"), HAPPY), Kind.SMILE) == 0.0
    assert amount(beside(sentence(turn="good_news"), Face()), Kind.SMILE) == pytest.approx(0.8)


def test_it_nods_at_the_start_and_tilts_its_head_with_a_question(sentence: Callable[..., Sentence]) -> None:
    first = beside(sentence(), Face())
    assert [cue.delay for cue in of(first, Kind.NOD)] == [0.2]
    assert not of(first, Kind.TILT)
    question = sentence("你愿意多说一点吗？", 1)
    (tilt,) = of(beside(question, Face()), Kind.TILT)
    assert tilt.delay + tilt.duration == pytest.approx(seconds_to_say(question.text) + 1.0, abs=0.02)
    assert not of(beside(question, Face()), Kind.NOD)
    assert of(beside(sentence("It is.", 1), Face()), Kind.NOD)


def test_it_looks_at_the_person_when_a_reply_ends_or_does_not_come() -> None:
    for state in (State.END, State.CANCELED, State.FAILED):
        assert amount(beside(Sentence("r", "s", 2, state), HAPPY), Kind.GAZE) == 1.0


def test_it_listens_with_a_nod_now_and_then_and_thinks_aside() -> None:
    listener = Listener()
    assert amount(listener.partial("u", 100.0), Kind.GAZE) == 1.0
    nods = [of(listener.partial("u", 100.0 + 0.5 * step), Kind.NOD) for step in range(1, 18)]
    assert sum(map(len, nods)) == 2
    assert nods[int(NOD_PERIOD / 0.5) - 1]
    (gaze,) = of(listener.final(), Kind.GAZE)
    assert (gaze.amount, gaze.delay) == (0.0, 1.0)
    assert of(listener.partial("u", 110.0), Kind.TILT)  # another one


def test_chinese_takes_longer_for_a_character() -> None:
    assert seconds_to_say("听起来你真的累了。") == pytest.approx(0.4 + 8 / 4.5 + 1 / 14)
    assert seconds_to_say("It sounds hard.") == pytest.approx(0.4 + 15 / 14)
