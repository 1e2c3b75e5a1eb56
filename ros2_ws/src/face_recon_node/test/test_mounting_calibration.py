"""Movements whose mounting is known, felt by a sensor that sits in an ear, off the axes about which the head turns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from face_recon_node.commands.mounting import measure
from face_recon_node.stream.mounting import Mounting, mounting
from hypothesis import given, settings
from hypothesis import strategies as st
from imuface_core.earphone import STANDARD_GRAVITY
from imuface_core.recording import ImuTrack, Recording
from imuface_core.session import write_session
from scipy.spatial.transform import Rotation
from typer.testing import CliRunner

APP = typer.Typer(rich_markup_mode=None)
APP.command()(measure)
RATE = 104.0
EAR = np.array([0.02, 0.07, 0.12])  # m from the joint of the neck, face frame


def bumps(times: np.ndarray, begin: float, count: int, angle: float, both: bool = False) -> np.ndarray:
    """``count`` movements of 1.2 s there and back; ``both``: to either side in turn."""
    phase = (times - begin) / 1.2
    inside = (phase >= 0) & (phase < count)
    sign = np.where(both & (np.floor(phase).astype(int) % 2 == 1), -1.0, 1.0)
    return np.where(inside, sign * angle * np.sin(np.pi * (phase % 1.0)) ** 2, 0.0)


def session(
    mount: Rotation,
    seed: int = 0,
    rate: float = RATE,
    nod: float = 0.4,
    turn: float = 0.6,
    both: bool = False,
    lean: float = 0.0,
) -> ImuTrack:
    """``mount`` takes coordinates in the face to those in the earphone; angles in rad, ``lean`` that of turns."""
    generator = np.random.default_rng(seed)
    times = np.arange(0.0, 24.0, 1.0 / rate)
    sway = 0.01 * np.sin(2 * np.pi * (generator.uniform(0.1, 0.4, 3) * times[:, None] + generator.uniform(size=3)))
    nods, turns = bumps(times, 5.0, 6, nod, both), bumps(times, 14.0, 6, turn, both=True)
    axis = Rotation.from_euler("x", lean).apply([0.0, 0.0, 1.0])
    # A person who nods turns and tilts a little too.
    head = (
        Rotation.from_rotvec(turns[:, None] * axis)
        * Rotation.from_euler("zyx", np.stack([0.06 * nods, nods, -0.05 * nods], axis=1))
        * Rotation.from_rotvec(sway)
    )
    spin = (head[:-1].inv() * head[1:]).as_rotvec() * rate
    place = head.apply(EAR)
    force = np.gradient(np.gradient(place, 1.0 / rate, axis=0), 1.0 / rate, axis=0)
    force[:, 2] += STANDARD_GRAVITY
    felt, turned = mount.apply(head.inv().apply(force))[:-1], mount.apply(spin)
    felt = felt + 0.2 * generator.normal(size=3) + generator.normal(0.0, 0.02, felt.shape)
    turned = turned + 0.02 * generator.normal(size=3) + generator.normal(0.0, 0.003, turned.shape)
    return ImuTrack(np.rint(times[:-1] * 1e9).astype(np.int64) + 10**18, felt, turned)


def error(found: Mounting, mount: Rotation) -> float:
    """Degrees between the found and the true way from the earphone to the face."""
    return float(np.degrees((Rotation.from_matrix(found.rotation) * mount).magnitude()))


@pytest.mark.parametrize("rate", [30.0, RATE])
def test_any_mounting_is_found(rate: float) -> None:
    errors = []
    for seed in range(40):
        mount = Rotation.random(rng=seed)
        found = mounting(session(mount, seed, rate))
        errors.append(error(found, mount))
        assert found.spread < 5.0
    assert np.median(errors) < 3.0
    assert max(errors) < 6.0


def test_the_heading_is_where_the_x_axis_points() -> None:
    for heading in (0.0, 180.0, -90.0, 37.0):
        found = mounting(session(Rotation.from_euler("z", -heading, degrees=True)))
        assert abs((found.heading - heading + 180.0) % 360.0 - 180.0) < 5.0
        x = found.rotation[:, 0]
        assert np.degrees(np.arctan2(x[1], x[0])) == pytest.approx(found.heading, abs=1.0) or abs(heading) == 180.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"nod": 0.02}, "nods cover 0°"),
        ({"turn": 0.02}, "turns of the head cover 0°"),
        ({"both": True}, "up as far as down"),
        ({"lean": 0.42}, "off the vertical"),
    ],
)
def test_what_was_not_done_is_named(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mounting(session(Rotation.identity(), **changes))  # type: ignore[arg-type]


def test_a_recording_of_no_use_is_named() -> None:
    track = session(Rotation.identity())
    restless = track.angular_velocity + 0.4 * np.sin(np.arange(len(track.stamps)) / 10.0)[:, None]
    with pytest.raises(ValueError, match="never rested"):
        mounting(replace(track, angular_velocity=restless))
    with pytest.raises(ValueError, match="it is in g"):
        mounting(replace(track, acceleration=track.acceleration / STANDARD_GRAVITY))
    with pytest.raises(ValueError, match=r"lasts 0\.5 s"):
        mounting(ImuTrack(track.stamps[:50], track.acceleration[:50], track.angular_velocity[:50]))


@pytest.mark.parametrize("wrong", [-np.eye(3), np.diag([-1.0, -1.0, 1.0]), np.eye(3)[[1, 0, 2]]])
def test_a_gyroscope_with_other_axes_than_the_accelerometer_is_named(wrong: np.ndarray) -> None:
    track = session(Rotation.identity())
    with pytest.raises(ValueError, match=r"do not agree|off the vertical|cover"):
        mounting(replace(track, angular_velocity=track.angular_velocity @ wrong))


@settings(max_examples=30)
@given(st.integers(1, 400), st.integers(0, 10**6), st.floats(0.0, 50.0))
def test_any_readings_are_taken_or_refused(count: int, seed: int, scale: float) -> None:
    generator = np.random.default_rng(seed)
    stamps = np.cumsum(generator.integers(1, 10**8, count))
    force, rates = generator.normal(0.0, 1.0, (2, count, 3)) * scale
    try:
        found = mounting(ImuTrack(stamps, force, rates))
    except ValueError:
        return
    assert found.rotation @ found.rotation.T == pytest.approx(np.eye(3))


def test_the_command_gives_the_parameters(tmp_path: Path) -> None:
    mounts = [
        Rotation.from_euler("zx", [-30.0, 50.0], degrees=True),
        Rotation.from_euler("zy", [170.0, 20.0], degrees=True),
    ]
    left, right = (session(mount, seed) for seed, mount in enumerate(mounts))
    write_session(tmp_path / "moves", Recording(left, right))
    result = CliRunner().invoke(APP, [str(tmp_path / "moves")])
    assert result.exit_code == 0, result.output
    expected = " ".join(f"-p {e}_heading:={mounting(t).heading:.1f}" for e, t in (("left", left), ("right", right)))
    assert result.output.splitlines()[-1] == f"for the face node: {expected}"


def test_the_command_names_the_ear_that_was_not_moved(tmp_path: Path) -> None:
    write_session(tmp_path / "moves", Recording(None, session(Rotation.identity(), turn=0.0)))
    result = CliRunner().invoke(APP, [str(tmp_path / "moves")])
    assert result.exit_code == 1
    assert "left ear: not in the recording" in result.output
    assert "moves, right ear: the turns of the head cover 0°" in result.output
