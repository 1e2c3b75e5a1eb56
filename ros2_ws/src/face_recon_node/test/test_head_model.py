"""The shipped head, its identities, and files that are not heads."""

from __future__ import annotations

import contextlib
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_recon_node.head import HeadModel, HeadModelError, Identity
from face_recon_node.head.model import DEFAULT_FILE
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from imuface_core.arkit import BLENDSHAPES, INDEX
from imuface_interfaces.msg import FacialLandmarks
from numpy.typing import NDArray

HEAD = HeadModel.load()
OUT, LEFT, UP = 0, 1, 2


def weights(**actions: float) -> NDArray[np.float64]:
    """Weights with some actions; a name without a side sets both sides."""
    result = np.zeros(len(BLENDSHAPES))
    for name, value in actions.items():
        for full in (name, f"{name}Left", f"{name}Right"):
            if full in INDEX:
                result[INDEX[full]] = value
    return result


def arrays(**changes: Any) -> dict[str, Any]:
    with np.load(DEFAULT_FILE) as archive:
        return {name: value for name, value in (dict(archive) | changes).items() if value is not None}


def group(name: str) -> slice:
    start = getattr(FacialLandmarks, f"{name}_START")
    return slice(start, start + getattr(FacialLandmarks, f"{name}_COUNT"))


def mean_motion(action: str, landmarks: slice | list[int]) -> NDArray[np.float64]:
    """Mean displacement (3,) of some landmarks by a full action, millimetres."""
    moved = HEAD.landmarks(weights(**{action: 1.0})) - HEAD.landmark_neutral
    return 1e3 * moved[landmarks].mean(axis=0)


def test_the_shipped_head_is_small_and_sound() -> None:
    assert len(HEAD.triangles) < 5000
    assert DEFAULT_FILE.stat().st_size < 500_000
    assert HEAD.deltas.shape == (52, len(HEAD.neutral), 3)
    assert HEAD.colors is not None
    assert HEAD.colors.shape == HEAD.neutral.shape
    assert set(np.unique(HEAD.triangles)) == set(range(len(HEAD.neutral)))
    assert "CC0" in HEAD.metadata["licence"]
    # Every facial action moves something.
    assert np.all(np.abs(HEAD.deltas).max(axis=(1, 2)) > 1e-3)


def test_loading_is_fast() -> None:
    start = time.process_time()
    HeadModel.load()
    assert time.process_time() - start < 0.3


def test_importing_the_head_does_not_import_anny() -> None:
    code = "import sys, face_recon_node.head as h; h.HeadModel.load(); print({'anny'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "set()"


def test_the_face_frame() -> None:
    landmarks = HEAD.landmark_neutral
    np.testing.assert_array_equal(landmarks[10], 0.0)  # the sellion
    assert landmarks[13, OUT] > 0.01  # the nose tip is in front
    assert np.all(landmarks[group("RIGHT_EYE")][:, LEFT] < 0)
    assert np.all(landmarks[group("LEFT_EYE")][:, LEFT] > 0)
    assert landmarks[group("OUTER_LIPS")][:, UP].max() < landmarks[group("NOSE_BASE")][:, UP].min()
    assert landmarks[group("RIGHT_BROW")][:, UP].min() > landmarks[group("RIGHT_EYE")][:, UP].max()
    # An adult's outer eye corners are about 9 cm apart, the head is about 16 cm wide without the ears.
    assert 0.08 < landmarks[28, LEFT] - landmarks[19, LEFT] < 0.10


def test_landmarks_are_mirror_images() -> None:
    mirrored = [*range(9, -1, -1), *range(10, 14), *range(18, 13, -1)]
    mirrored += [28, 27, 26, 25, 30, 29, 22, 21, 20, 19, 24, 23]
    mirrored += [37, 36, 35, 34, 33, 32, 31, 42, 41, 40, 39, 38, 47, 46, 45, 44, 43, 50, 49, 48]
    np.testing.assert_allclose(HEAD.landmark_neutral[mirrored] * (1, -1, 1), HEAD.landmark_neutral, atol=2e-4)


def test_triangles_face_outwards() -> None:
    a, b, c = (HEAD.neutral[HEAD.triangles[:, i]].astype(float) for i in range(3))
    normal = np.cross(b - a, c - a)
    forehead = np.all((a[:, [UP]] > 0.06) & (a[:, [OUT]] > -0.05), axis=1)
    assert forehead.sum() > 20
    assert np.all(normal[forehead, OUT] > 0)


@pytest.mark.parametrize(
    ("action", "landmarks", "axis", "sign"),
    [
        ("jawOpen", [40, 49], UP, -1),
        ("mouthSmile", [31, 37], UP, +1),
        ("mouthFrown", [31, 37], UP, -1),
        ("browInnerUp", [4, 5], UP, +1),
        ("browOuterUp", [0, 1, 8, 9], UP, +1),
        ("browDown", [3, 4, 5, 6], UP, -1),
        ("eyeBlink", [20, 21, 26, 27], UP, -1),
        ("mouthLeft", slice(31, 51), LEFT, +1),
        ("mouthRight", slice(31, 51), LEFT, -1),
        ("jawLeft", [40], LEFT, +1),
        ("mouthPucker", slice(31, 51), OUT, +1),
        ("mouthUpperUp", [33, 35], UP, +1),
        ("mouthLowerDown", [39, 41], UP, -1),
        ("noseSneer", [14, 18], UP, +1),
    ],
)
def test_actions_move_the_landmarks_their_way(action: str, landmarks: Any, axis: int, sign: int) -> None:
    assert sign * mean_motion(action, landmarks)[axis] > 1.0


def test_sided_actions_are_the_persons_own() -> None:
    moved = np.linalg.norm(HEAD.landmarks(weights(mouthSmileLeft=1.0)) - HEAD.landmark_neutral, axis=1)
    assert moved[37] > 3 * moved[31]  # 37 is the left corner of the mouth


def test_a_blink_closes_the_lids() -> None:
    def opening(face: NDArray[np.float32]) -> float:
        return float(np.linalg.norm(face[[20, 21]].mean(axis=0) - face[[24, 23]].mean(axis=0)))

    assert opening(HEAD.landmarks(weights(eyeBlink=1.0))) < 0.35 * opening(HEAD.landmark_neutral)


def test_inner_lips_touch_at_rest_and_part_with_the_jaw() -> None:
    assert 0 < HEAD.landmark_neutral[45, UP] - HEAD.landmark_neutral[49, UP] < 0.003
    open_mouth = HEAD.landmarks(weights(jawOpen=1.0))
    assert open_mouth[45, UP] - open_mouth[49, UP] > 0.025


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_landmarks_are_vertices_and_the_model_is_linear(seed: int) -> None:
    a, b = np.random.default_rng(seed).uniform(0, 1, (2, len(BLENDSHAPES))).astype(np.float32)
    np.testing.assert_allclose(HEAD.vertices(a)[HEAD.landmark_indices], HEAD.landmarks(a), atol=1e-6)
    np.testing.assert_allclose(HEAD.landmarks(np.stack([a, b])), [HEAD.landmarks(a), HEAD.landmarks(b)], atol=1e-6)
    middle = (HEAD.landmarks(a) + HEAD.landmarks(b)) / 2
    np.testing.assert_allclose(HEAD.landmarks((a + b) / 2), middle, atol=1e-6)


@pytest.mark.parametrize("shape", [(51,), (52, 1), ()])
def test_weights_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="weights, got"):
        HEAD.landmarks(np.zeros(shape))
    with pytest.raises(ValueError, match="weights, got"):
        HEAD.vertices(np.zeros(shape))


def test_no_identity_is_the_default_identity() -> None:
    assert HEAD.with_identity(Identity()) is HEAD
    spelt_out = HEAD.with_identity(Identity(age=2 / 3, gender=0.5, weight=0.5))
    np.testing.assert_allclose(spelt_out.neutral, HEAD.neutral, atol=2e-4)


def test_identities_differ_as_they_should() -> None:
    def width(identity: Identity) -> float:
        return float(np.ptp(HEAD.with_identity(identity).neutral[:, LEFT]))

    def jaw_opening(identity: Identity) -> float:
        head = HEAD.with_identity(identity)
        return float(np.linalg.norm(head.landmark_deltas[INDEX["jawOpen"], 49]))

    toddler, adult = Identity(age=0.0), Identity(age=2 / 3)
    assert width(toddler) < 0.85 * width(adult)
    assert jaw_opening(toddler) < 0.85 * jaw_opening(adult)
    assert width(Identity(gender=1.0)) < width(Identity(gender=0.0))
    cheeks_lean, cheeks_heavy = (HEAD.with_identity(Identity(weight=w)).neutral for w in (0.0, 1.0))
    assert np.abs(cheeks_heavy - cheeks_lean).max() > 0.003


unit = st.floats(0, 1) | st.just(math.nan)


@given(age=unit, gender=unit, weight=unit)
@settings(max_examples=25)
def test_every_identity_is_a_head_with_its_sellion_at_the_origin(age: float, gender: float, weight: float) -> None:
    head = HEAD.with_identity(Identity(age, gender, weight))
    assert np.isfinite(head.neutral).all()
    np.testing.assert_allclose(head.landmark_neutral[10], 0.0, atol=1e-6)
    assert 0.1 < np.ptp(head.neutral[:, UP]) < 0.4
    np.testing.assert_array_equal(head.neutral[head.landmark_indices], head.landmark_neutral)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.inf])
@pytest.mark.parametrize("axis", ["age", "gender", "weight"])
def test_an_identity_out_of_range_is_refused(axis: str, bad: float) -> None:
    with pytest.raises(ValueError, match=rf"identity\.{axis} is"):
        Identity(**{axis: bad})


def test_a_model_of_another_origin_loads(tmp_path: Path) -> None:
    """A minimal file: other order of the blendshapes, no colours, no identities, double precision."""
    order = np.random.default_rng(0).permutation(len(BLENDSHAPES))
    file = tmp_path / "head.npz"
    content = {name: value for name, value in arrays().items() if not name.startswith(("identity", "colors"))}
    content["blendshapes"] = content["blendshapes"][order]
    content["deltas"] = content["deltas"][order].astype(np.float64)
    np.savez(file, allow_pickle=False, **content)
    head = HeadModel.load(file)
    np.testing.assert_allclose(head.deltas, HEAD.deltas, atol=1e-6)
    assert head.colors is None
    with pytest.raises(ValueError, match="has no identities"):
        head.with_identity(Identity(age=0.2))


def test_a_missing_file_is_named() -> None:
    with pytest.raises(HeadModelError, match=r"cannot read head model /no/head\.npz: No such file"):
        HeadModel.load("/no/head.npz")


def test_a_scan_is_no_head_model_but_one_can_be_made_of_it(tmp_path: Path) -> None:
    file = tmp_path / "anna.ply"
    file.write_bytes(b"ply\nformat ascii 1.0\n")
    with pytest.raises(HeadModelError, match="of a scan, `imuface head` makes one"):
        HeadModel.load(file)


BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    "no metadata": ({"metadata": None}, "array metadata is missing"),
    "other layout": ({"metadata": np.array('{"layout": "x"}')}, "metadata does not say"),
    "metadata not JSON": ({"metadata": np.array("{")}, "Expecting property name"),
    "metadata not an object": ({"metadata": np.array("[]")}, "metadata does not say"),
    "no deltas": ({"deltas": None}, "array deltas is missing"),
    "deltas of other vertices": ({"deltas": np.zeros((52, 7, 3), np.float16)}, "array deltas is float16"),
    "action missing": ({"blendshapes": np.array(["jawOpen"] * 52)}, "missing: .*'eyeBlinkLeft'"),
    "millimetres": ({"neutral": HEAD.neutral * 1000}, "a head in metres is expected"),
    "not finite": ({"neutral": np.where(HEAD.neutral > 0.1, np.nan, HEAD.neutral)}, "neutral holds values"),
    "no vertices": ({"neutral": np.zeros((0, 3), np.float32)}, "a head in metres is expected"),
    "vertex out of range": ({"landmarks": np.full(51, 9999, np.int16)}, "landmarks refers to vertices outside"),
    "negative vertex": ({"triangles": np.array([[0, 1, -1]])}, "triangles refers to vertices outside"),
    "50 landmarks": ({"landmarks": np.zeros(50, np.int16)}, "array landmarks is int16"),
    "squares": ({"triangles": np.zeros((4, 4), np.int16)}, "array triangles is int16"),
    "ages not ascending": ({"identity_age": np.array([0.0, 0.5, 0.3, 1.0])}, "identity_age has to be ascending"),
    "an age too many": ({"identity_age": np.linspace(0, 1, 5)}, "identity_offsets is float16"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_content_is_explained(case: str, tmp_path: Path) -> None:
    changes, message = BROKEN[case]
    file = tmp_path / "head.npz"
    np.savez(file, allow_pickle=False, **arrays(**changes))
    with pytest.raises(HeadModelError, match=message) as error:
        HeadModel.load(file)
    assert str(file) in str(error.value)
    assert "\n" not in str(error.value)


def test_pickled_content_is_not_executed(tmp_path: Path) -> None:
    file = tmp_path / "head.npz"
    np.savez(file, **(arrays() | {"metadata": np.array([object()], dtype=object)}))
    with pytest.raises(HeadModelError, match="is not a head model"):
        HeadModel.load(file)


SHIPPED = DEFAULT_FILE.read_bytes()


@given(data=st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_files_never_crash(data: st.DataObject, tmp_path: Path) -> None:
    damaged = bytearray(SHIPPED[: data.draw(st.integers(0, len(SHIPPED)))])
    for _ in range(data.draw(st.integers(0, 8))):
        if damaged:
            damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    file = tmp_path / "head.npz"
    file.write_bytes(damaged)
    with contextlib.suppress(HeadModelError):
        assert np.isfinite(HeadModel.load(file).neutral).all()


@given(content=st.binary(max_size=200))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arbitrary_bytes_are_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "head.npz"
    file.write_bytes(content)
    with pytest.raises(HeadModelError):
        HeadModel.load(file)


ICT = Path(__file__).parents[4].parent / "shared" / "data" / "face_geometry" / "ict_face9409_neutral_57expr_20id.npz"


@pytest.mark.skipif(not ICT.exists(), reason="needs ../shared/data/face_geometry")
def test_an_ict_face_can_take_its_place(tmp_path: Path) -> None:
    """The recipe of docs/head-model.md on ICT-FaceKit's face area (centimetres, y up, z out of the face)."""
    with np.load(ICT) as archive:
        ict = dict(archive)

    def to_face_frame(points: NDArray) -> NDArray:
        return np.stack([points[..., 2], points[..., 0], points[..., 1]], axis=-1) / 100

    landmarks = ict["landmarks68"][17:]
    names = [str(name).replace("_L", "Left").replace("_R", "Right") for name in ict["expr_names"]]
    deltas = np.zeros((len(BLENDSHAPES), len(ict["neutral"]), 3), np.float32)
    for name, delta in zip(names, ict["expr"], strict=True):
        # ICT splits some of ARKit's actions into sides, and has two that ARKit has not.
        whole = name.removesuffix("Left").removesuffix("Right")
        index = INDEX.get(name, INDEX.get(whole))
        if index is not None:
            deltas[index] += to_face_frame(delta)
    neutral = to_face_frame(ict["neutral"])
    quads = ict["faces"]
    file = tmp_path / "ict.npz"
    np.savez(
        file,
        allow_pickle=False,
        metadata=np.array('{"layout": "earnest-head-1", "name": "ICT-FaceKit", "licence": "MIT"}'),
        blendshapes=np.array(BLENDSHAPES),
        neutral=(neutral - neutral[landmarks[10]]).astype(np.float32),
        deltas=deltas,
        triangles=np.vstack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]),
        landmarks=landmarks,
    )
    head = HeadModel.load(file)
    missing = [name for name, delta in zip(BLENDSHAPES, head.deltas, strict=True) if not np.any(delta)]
    assert missing == ["tongueOut"]
    # Both models agree on where an average face has its landmarks, but for the placing of the brows and the sellion.
    difference = head.landmark_neutral - HEAD.landmark_neutral
    assert np.linalg.norm(difference[10:] - difference[10:].mean(axis=0), axis=1).mean() < 0.006
    for action, landmark in (("mouthSmileLeft", 37), ("jawOpen", 40), ("browInnerUp", 4)):
        ours, theirs = (model.landmark_deltas[INDEX[action], landmark] for model in (HEAD, head))
        assert ours @ theirs > 0.5 * np.linalg.norm(ours) * np.linalg.norm(theirs)
