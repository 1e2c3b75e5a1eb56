from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imuface_core.earphone import EARS
from imuface_core.recording import BlendshapeTrack, ImuTrack, Recording
from imuface_core.session import write_session
from imuface_driver.sources import BagSource, Source

pytestmark = pytest.mark.timing

RECORDED_NS = 1_600_000_000_000_000_000


def track(offset_ns: int, samples: int = 45) -> ImuTrack:
    generator = np.random.default_rng(offset_ns)
    stamps = RECORDED_NS + offset_ns + np.arange(samples, dtype=np.int64) * 33_333_333
    return ImuTrack(stamps, generator.normal(size=(samples, 3)), generator.normal(size=(samples, 3)))


def test_a_session_is_played_with_its_intervals_as_if_it_happened_now(
    tmp_path: Path, run_source: Callable[[Source], AbstractContextManager[Any]], wait_for: Callable[..., None]
) -> None:
    left, right = track(0), track(11_000_000)
    truth = BlendshapeTrack(left.stamps, np.random.default_rng(0).random((45, 52), dtype=np.float32))
    write_session(tmp_path / "session", Recording(left, right, truth))
    source = BagSource(str(tmp_path / "session"), time.time_ns)
    begin = time.time_ns()
    with run_source(source) as sink:
        wait_for(lambda: source.fault)
    assert source.fault.endswith("session has ended")
    assert begin < sink.samples["left"][0].stamp_ns < begin + 2e9
    for ear, recorded in zip(EARS, (left, right), strict=True):
        stamps = np.array([sample.stamp_ns for sample in sink.samples[ear]])
        np.testing.assert_array_equal(stamps - sink.samples["left"][0].stamp_ns, recorded.stamps - RECORDED_NS)
        np.testing.assert_array_equal([sample.acceleration for sample in sink.samples[ear]], recorded.acceleration)
        np.testing.assert_array_equal(
            [sample.angular_velocity for sample in sink.samples[ear]], recorded.angular_velocity
        )
        late = np.array(sink.arrivals[ear]) - stamps
        assert late.min() >= 0
        assert np.median(late) < 5e6
        assert source.health[ear].received == 45
    np.testing.assert_array_equal([weights for _, weights in sink.references], truth.weights)
    assert [stamp for stamp, _ in sink.references] == [sample.stamp_ns for sample in sink.samples["left"]]


def test_one_ear_is_played_alone(
    tmp_path: Path,
    run_source: Callable[[Source], AbstractContextManager[Any]],
    wait_for: Callable[..., None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    write_session(tmp_path / "session", Recording(track(0, 10), None), "anna")
    # The session calls an ear otherwise.
    source = BagSource(str(tmp_path / "session"), time.time_ns, names={"right/imu/data_raw": "/anna/left/imu/data_raw"})
    with run_source(source) as sink:
        wait_for(lambda: source.fault)
    assert len(sink.samples["right"]) == 10
    assert list(source.health) == ["right"]
    assert "has no left ear" in caplog.text


def test_playing_can_be_stopped_and_begun_again(
    tmp_path: Path, run_source: Callable[[Source], AbstractContextManager[Any]], wait_for: Callable[..., None]
) -> None:
    write_session(tmp_path / "session", Recording(track(0), None))
    source = BagSource(str(tmp_path / "session"), time.time_ns)
    for _ in range(2):
        with run_source(source) as sink:
            wait_for(lambda sink=sink: len(sink.samples["left"]) > 3)
        assert len(sink.samples["left"]) < 45


def test_a_missing_session_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"no session at .*nowhere"):
        BagSource(str(tmp_path / "nowhere"), time.time_ns).open()
