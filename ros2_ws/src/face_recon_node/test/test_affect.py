"""From facial actions to what the face shows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from face_recon_node import affect
from face_recon_node.affect import (
    ACTION_UNITS,
    EXPRESSIONS,
    NEUTRAL,
    PROTOTYPES,
    Affect,
    AffectEstimator,
    said_expression,
    told_affect,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_interfaces.msg import AffectState
from numpy.typing import NDArray

FRAME_NS = 33_333_333
SURE = np.full(52, 0.02)


def face(**actions: float) -> NDArray[np.float64]:
    """Weights with some actions; a name without a side sets both sides."""
    weights = np.zeros(len(BLENDSHAPES))
    for name, value in actions.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in INDEX:
                weights[INDEX[full]] = value
    return weights


def hold(weights: NDArray, seconds: float = 3.0, std: NDArray = SURE, after: AffectEstimator | None = None) -> Affect:
    estimator = after or AffectEstimator()
    start = estimator._stamp_ns or 1
    for frame in range(1, round(seconds * 30) + 1):
        result = estimator.update(start + frame * FRAME_NS, weights, std)
    return result


# Full expressions, from the same sources as the rules: FACS Table 11-1 and the papers of docs/affect.md.
FACES = {
    "neutral": face(),
    "happy": face(mouthSmile=0.8, cheekSquint=0.6),
    "sad": face(browInnerUp=0.8, browDown=0.2, mouthFrown=0.8, mouthShrugLower=0.4),
    "surprised": face(browInnerUp=0.8, browOuterUp=0.8, eyeWide=0.7, jawOpen=0.6),
    "scared": face(browInnerUp=0.7, browOuterUp=0.5, browDown=0.5, eyeWide=0.9, mouthStretch=0.9, jawOpen=0.2),
    "angry": face(browDown=0.9, eyeWide=0.3, eyeSquint=0.5, mouthPress=0.8),
    "disgusted": face(noseSneer=0.9, mouthUpperUp=0.6, browDown=0.4),
    "skeptical": face(browOuterUpLeft=0.9, mouthPress=0.2),
    "confused": face(browDown=0.8, eyeSquint=0.7),
}


@pytest.mark.parametrize("expression", FACES)
def test_prototypical_faces_get_their_label(expression: str) -> None:
    result = hold(FACES[expression])
    assert result.expression == expression
    assert result.confidence > 0.9


def test_closed_lids_for_long_look_tired_and_a_blink_does_not() -> None:
    estimator = AffectEstimator()
    assert hold(face(eyeBlink=1.0), 0.3, after=estimator).expression == "neutral"
    assert hold(face(), 5.0, after=estimator).expression == "neutral"
    assert hold(face(eyeBlink=0.95), 25.0, after=estimator).expression == "tired"
    assert hold(face(eyeWide=0.2), 40.0, after=estimator).expression == "neutral"


def test_labels_are_those_of_rep_155() -> None:
    assert all(getattr(AffectState, expression.upper()) == expression for expression in EXPRESSIONS)


@pytest.mark.parametrize(
    ("expression", "valence", "arousal"),
    [
        ("happy", +1, +1),
        ("sad", -1, -1),
        ("angry", -1, +1),
        ("scared", -1, +1),
        ("disgusted", -1, +1),
        ("surprised", +1, +1),
    ],
)
def test_expressions_stand_in_their_quadrant(expression: str, valence: int, arousal: int) -> None:
    result = hold(FACES[expression])
    assert valence * result.valence > 0.05
    assert arousal * result.arousal > 0.05


def test_a_resting_face_shows_nothing() -> None:
    result = hold(face())
    assert (result.valence, result.arousal, result.expression) == (0.0, 0.0, "neutral")
    assert not any(result.action_units.values())


def test_speech_is_no_expression() -> None:
    for jaw in (0.1, 0.3, 0.5):
        assert hold(face(jawOpen=jaw, mouthFunnel=0.4, mouthLowerDown=0.3)).expression == "neutral"


def test_action_units_follow_their_actions() -> None:
    for number, names in ACTION_UNITS.items():
        units = hold(face(**dict.fromkeys(names, 0.6)), 0.1).action_units
        assert units[number] == pytest.approx(0.6)
        assert sum(units.values()) == pytest.approx(0.6)
    assert list(ACTION_UNITS) == sorted(ACTION_UNITS)
    assert max(ACTION_UNITS) < 256  # uint8 in the message


def test_the_evidence_of_each_prototype_is_complete() -> None:
    for name, prototype in PROTOTYPES.items():
        assert sum(prototype.evidence.values()) == pytest.approx(1.0), name
        assert not set(prototype.evidence) & set(prototype.against), name


@pytest.mark.parametrize("expression", [name for name in PROTOTYPES if name != "tired"])
@given(seed=st.integers(0, 2**32 - 1), more=st.floats(0.01, 1))
@settings(max_examples=20)
def test_more_of_an_expressions_actions_is_never_less_evidence(expression: str, seed: int, more: float) -> None:
    base = np.random.default_rng(seed).uniform(0, 1, 52)
    row = list(PROTOTYPES).index(expression)
    for unit in PROTOTYPES[expression].evidence:
        if unit not in ACTION_UNITS:
            continue
        stronger = base.copy()
        indices = [INDEX[name] for name in ACTION_UNITS[unit]]
        stronger[indices] = np.minimum(base[indices] + more, 1.0)
        if unit == 2:
            stronger[indices] = base[indices]  # raising both brows may level a raised one
        assert affect.evidence(stronger)[row] >= affect.evidence(base)[row] - 1e-12


def test_a_bigger_smile_is_more_pleasant() -> None:
    valences = [hold(face(mouthSmile=w)).valence for w in np.linspace(0, 1, 6)]
    assert np.all(np.diff(valences) > 0)


def test_uncertain_weights_lower_the_confidence() -> None:
    confidences = [hold(face(mouthSmile=0.6), std=np.full(52, std)).confidence for std in (0.02, 0.2, 0.5)]
    assert confidences[0] > confidences[1] > confidences[2]


def test_smoothing_has_the_stated_time_constant() -> None:
    estimator = AffectEstimator()
    hold(face(), 1.0, after=estimator)
    final = hold(FACES["happy"], 10.0).valence
    after = hold(FACES["happy"], affect.TIME_CONSTANT, after=estimator).valence
    assert after / final == pytest.approx(1 - np.exp(-1), abs=0.03)


def test_smoothing_follows_the_stamps_not_the_frames() -> None:
    def smile(period_ns: int) -> float:
        estimator = AffectEstimator()
        estimator.update(1, face(), SURE)
        for stamp in range(period_ns, 400_000_000 + period_ns, period_ns):
            result = estimator.update(1 + stamp, FACES["happy"], SURE)
        return result.valence

    assert smile(10_000_000) == pytest.approx(smile(40_000_000), rel=0.02)


def test_a_face_on_the_edge_does_not_flicker() -> None:
    estimator = AffectEstimator()
    edge = affect.NEUTRAL_EVIDENCE / PROTOTYPES["happy"].evidence[12]
    generator = np.random.default_rng(3)
    labels = [
        estimator.update(i * FRAME_NS, face(mouthSmile=edge + generator.normal(0, 0.1)), SURE).expression
        for i in range(1, 900)
    ]
    changes = sum(a != b for a, b in itertools.pairwise(labels))
    assert changes <= 1


def test_a_gap_or_a_step_back_starts_afresh() -> None:
    for jump in (10_000_000_000, -10_000_000_000):
        estimator = AffectEstimator()
        hold(FACES["happy"], after=estimator)
        assert estimator._stamp_ns is not None
        assert estimator.update(estimator._stamp_ns + jump, face(), SURE) == AffectEstimator().update(1, face(), SURE)


def test_equal_input_gives_equal_output() -> None:
    weights = np.random.default_rng(1).uniform(0, 1, (60, 52))
    runs = []
    for _ in range(2):
        estimator = AffectEstimator()
        runs.append([estimator.update(i * FRAME_NS, w, np.full(52, 0.2)) for i, w in enumerate(weights)])
    assert runs[0] == runs[1]


values = st.floats(width=32) | st.just(np.nan)


@given(
    weights=arrays.arrays(np.float32, (5, 52), elements=values),
    stds=arrays.arrays(np.float32, (5, 52), elements=values),
    stamps=st.lists(st.integers(-(2**40), 2**62), min_size=5, max_size=5),
)
@settings(max_examples=60)
def test_any_input_gives_bounded_output(weights: NDArray, stds: NDArray, stamps: list[int]) -> None:
    estimator = AffectEstimator()
    for row, std, stamp in zip(weights, stds, stamps, strict=True):
        result = estimator.update(stamp, row, std)
        assert np.hypot(result.valence, result.arousal) <= 1.0 + 1e-9
        assert 0.0 <= result.confidence <= 1.0
        assert result.expression in EXPRESSIONS
        assert all(0.0 <= intensity <= 1.0 for intensity in result.action_units.values())


def test_unknown_weights_are_unsure_not_neutral() -> None:
    nothing = np.full(52, np.nan)
    assert hold(nothing, std=SURE).confidence < 0.9
    assert hold(face(), std=np.full(52, np.inf)).confidence < 0.9


@pytest.mark.parametrize("shape", [(51,), (1, 52)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="weights and deviations"):
        AffectEstimator().update(1, np.zeros(shape), np.zeros(shape))


def moving_face(frames: int = 240) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Stamps and weights, some beyond 0..1, of expressions one after the other, with a gap and a step back in time."""
    rng = np.random.default_rng(7)
    shown = np.stack([FACES[name] for name in rng.choice(list(FACES), frames // 30)])
    weights = np.repeat(shown, 30, axis=0) * rng.uniform(0.5, 1.4, (len(shown) * 30, 1)) + rng.normal(0.0, 0.05, 52)
    weights[60:90, [INDEX["eyeBlinkLeft"], INDEX["eyeBlinkRight"]]] = 1.0
    stamps = np.arange(1, len(weights) + 1) * FRAME_NS
    stamps[100:] += 5_000_000_000
    stamps[160:] -= 2_000_000_000
    return stamps, weights


@pytest.mark.parametrize("cuts", [[], [1, 99, 100, 161]])
def test_following_a_course_is_taking_it_frame_by_frame(cuts: list[int]) -> None:
    stamps, weights = moving_face()
    one, other = AffectEstimator(), AffectEstimator()
    frames = [one.update(stamp, face, np.zeros(52)) for stamp, face in zip(stamps.tolist(), weights, strict=True)]
    parts = [other.follow(*part) for part in zip(np.split(stamps, cuts), np.split(weights, cuts), strict=True)]
    places, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    np.testing.assert_allclose(places, [(frame.valence, frame.arousal) for frame in frames], atol=1e-12)
    assert [EXPRESSIONS[label] for label in labels] == [frame.expression for frame in frames]
    assert len(set(labels.tolist())) > 4
    # Both have come to the same point.
    after = int(stamps[-1]) + FRAME_NS
    assert one.update(after, FACES["happy"], SURE) == other.update(after, FACES["happy"], SURE)


def probabilities(neutral: float, **shares: float) -> NDArray[np.float32]:
    """Of all labels: some of what is not neutral falls to those named, the rest to the others."""
    rest = (1.0 - neutral - sum(shares.values())) / (len(EXPRESSIONS) - 1 - len(shares))
    made = dict.fromkeys(EXPRESSIONS, rest) | shares | {NEUTRAL: neutral}
    return np.array(list(made.values()), np.float32)


def test_neutral_is_said_from_six_tenths_on() -> None:
    rows = [
        (probabilities(0.6, happy=0.4), NEUTRAL),
        (probabilities(0.9), NEUTRAL),
        (probabilities(0.59, happy=0.2, sad=0.15), "happy"),
        (probabilities(0.59, tired=0.07), "tired"),
        (probabilities(0.0, sad=0.3, angry=0.31), "angry"),
    ]
    for row, expected in rows:
        assert EXPRESSIONS[said_expression(row)] == expected
    labels = said_expression(np.stack([row for row, _ in rows]))
    assert [EXPRESSIONS[label] for label in labels] == [expected for _, expected in rows]


@pytest.mark.parametrize(("neutral", "expression", "confidence"), [(0.49, "sad", 0.3), (0.6, NEUTRAL, 0.6)])
def test_what_a_model_says_is_reported_as_it_is(neutral: float, expression: str, confidence: float) -> None:
    told = told_affect(-0.3, 0.1, probabilities(neutral, sad=0.3), FACES["sad"])
    assert (told.valence, told.arousal, told.expression) == (-0.3, 0.1, expression)
    assert told.confidence == pytest.approx(confidence)
    assert told.action_units == hold(FACES["sad"], 0.1).action_units
