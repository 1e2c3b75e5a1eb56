"""The protocol of a study: a script that may be cut anywhere, and simulated people who follow it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from imuface_core.arkit import INDEX
from imuface_simulation import Participant, Performance, simulate
from imuface_simulation.expressions import NEUTRAL_START
from imuface_simulation.prompts import SHARES, script

STEP = 1.0 / 30.0


def shares(seconds: float, seeds: range) -> dict[str, float]:
    spent = dict.fromkeys(SHARES, 0.0)
    for seed in seeds:
        for prompt in script(seed, seconds)[1:]:
            spent[prompt.part] += min(prompt.end, seconds) - prompt.start
    return {part: spent[part] / sum(spent.values()) for part in SHARES}


class TestScript:
    def test_follows_without_gaps_from_a_neutral_face_on(self) -> None:
        prompts = script(3, 120.0)
        assert prompts[0].part == "neutral"
        assert prompts[0].end == NEUTRAL_START
        for before, after in pairwise(prompts):
            assert before.end == after.start
        assert prompts[-1].start < 120.0 <= prompts[-1].end

    @pytest.mark.parametrize(("seconds", "tolerance"), [(30.0, 0.06), (60.0, 0.04), (300.0, 0.02)])
    def test_any_beginning_of_a_session_is_a_fair_sample(self, seconds: float, tolerance: float) -> None:
        assert shares(seconds, range(40)) == pytest.approx(SHARES, abs=tolerance)

    def test_no_session_of_a_minute_is_far_from_the_shares(self) -> None:
        for seed in range(20):
            assert shares(60.0, range(seed, seed + 1)) == pytest.approx(SHARES, abs=0.2)

    def test_every_face_is_prompted_once_before_any_comes_again(self) -> None:
        texts = [prompt.text.partition(",")[0] for prompt in script(1, 1500.0) if prompt.part == "prompted"]
        first, second = texts[:43], texts[43:86]
        assert len(set(texts)) == len(set(first)) == 43
        assert set(first) == set(second)
        assert "wink with your left eye" in first
        assert "wink with your right eye" in first

    def test_faces_are_prompted_long_enough(self) -> None:
        for prompt in script(4, 300.0):
            if prompt.target is not None:
                assert 1.2 <= prompt.relax - prompt.start <= 5.0
                assert 1.0 <= prompt.end - prompt.relax <= 2.0
                assert 0.3 < prompt.target.max() <= 1.05

    @pytest.mark.parametrize("duration", [0.0, -1.0, float("nan"), float("inf")])
    def test_refuses_an_impossible_duration(self, duration: float) -> None:
        with pytest.raises(ValueError, match="duration is"):
            script(0, duration)


class TestStudy:
    def test_is_neutral_first_and_lasts_as_long_as_asked(self) -> None:
        performance = Performance.study(person=5, session=2, duration=60.0)
        assert performance.duration >= 60.0
        assert not performance.weights(np.arange(0.0, NEUTRAL_START - 0.1, STEP)).any()

    def test_the_person_does_what_is_prompted(self) -> None:
        prompts = [p for p in script(8, 300.0) if p.target is not None and p.target.max() > 0.6]
        for prompt in prompts:
            assert prompt.target is not None
            shown = Performance.study(1, 8, 300.0).weights([prompt.relax - 0.3])[0]
            strongest = int(np.argmax(prompt.target))
            assert shown[strongest] > 0.5 * prompt.target[strongest], prompt.text
        assert len(prompts) > 8

    def test_a_person_speaks_when_asked_and_is_quiet_when_showing_a_face(self) -> None:
        performance = Performance.study(1, 8, 300.0)
        levels: dict[str, list[float]] = {"speech": [], "prompted": []}
        for prompt in script(8, 299.0):
            if prompt.part in levels:
                speaking = performance.speaking(np.arange(prompt.start + 1.0, prompt.end, STEP))
                assert speaking is not None
                levels[prompt.part].append(float(speaking.mean()))
        assert np.mean(levels["speech"]) > 0.4
        assert np.mean(levels["prompted"]) < 0.15

    def test_habits_stay_and_sessions_differ(self) -> None:
        times = np.arange(6.0, 60.0, STEP)
        first, again, other = (Performance.study(3, session, 60.0).weights(times) for session in (0, 0, 1))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
        assert not np.array_equal(first, Performance.study(4, 0, 60.0).weights(times))

    def test_most_people_rest_slightly_off_neutral(self) -> None:
        # The lowest decile of an action is what is there when nothing is shown.
        offsets = []
        for person in range(24):
            at_rest = [np.quantile(Performance.study(person, s, 60.0).frames[400:], 0.1, axis=0) for s in (0, 1)]
            assert (at_rest[0] > 0.01).any() == (at_rest[1] > 0.01).any()  # the habit is the person's
            offsets.append(at_rest[0].max())
        assert 8 <= sum(offset > 0.01 for offset in offsets) <= 22
        assert max(offsets) <= 0.4

    def test_the_head_moves_more_while_speaking(self) -> None:
        performance = Performance.study(1, 8, 120.0)
        recording = simulate(performance, Participant.random(1), 120.0, seed=4)
        silent = simulate(Performance(performance.frames), Participant.random(1), 120.0, seed=4)
        assert recording.left is not None
        assert silent.left is not None
        extra = np.abs(recording.left.angular_velocity - silent.left.angular_velocity).max(axis=1)
        speaking = performance.speaking(recording.left.stamps * 1e-9)
        assert speaking is not None
        loud = speaking[:, 0] > 0.9
        quiet = np.convolve(speaking[:, 0], np.ones(9), "same") < 1e-3
        assert np.median(extra[loud]) > 0.004
        assert np.quantile(extra[quiet], 0.9) < 0.002

    def test_jaws_open_in_speech(self) -> None:
        performance = Performance.study(2, 3, 120.0)
        speaking = performance.speaking(times := np.arange(0.0, 120.0, STEP))
        assert speaking is not None
        jaw = performance.weights(times)[:, INDEX["jawOpen"]]
        assert jaw[speaking[:, 0] > 0.9].mean() > 0.08
