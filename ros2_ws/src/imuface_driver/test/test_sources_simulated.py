from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imuface_core.earphone import EARS
from imuface_driver.sources import SimulatedSource, Source
from imuface_driver.sources.simulated import NATURAL_DURATION
from imuface_simulation import Participant, Performance, simulate

pytestmark = pytest.mark.timing


def test_samples_come_in_real_time_with_the_stamps_of_sampling(
    run_source: Callable[[Source], AbstractContextManager[Any]],
) -> None:
    source = SimulatedSource(time.time_ns, radio_delay=0.002)
    with run_source(source) as sink:
        time.sleep(4.0)
    # The same session simulated at once has the true sampling times.
    truth = simulate(Performance.natural(0, NATURAL_DURATION), Participant.random(0), 5.0)
    for ear in EARS:
        samples, true = sink.samples[ear], getattr(truth, ear)
        count = len(samples)
        assert 100 <= count <= 121
        assert source.health[ear].lost == source.health[ear].out_of_order == source.health[ear].resyncs == 0
        np.testing.assert_allclose([s.acceleration for s in samples], true.acceleration[:count])
        np.testing.assert_allclose([s.angular_velocity for s in samples], true.angular_velocity[:count])
        begin = np.array([s.stamp_ns for s in samples]) - true.stamps[:count]
        assert np.ptp(begin[60:]) < 5e6
        late = np.array(sink.arrivals[ear]) - begin[60:].min() - true.stamps[:count]
        assert np.all(late[60:] >= -1e5)
    assert len(sink.references) == len(sink.samples["left"])
    assert truth.blendshapes is not None
    np.testing.assert_allclose(
        [weights for _, weights in sink.references], truth.blendshapes.weights[: len(sink.references)], atol=1e-6
    )
    assert [stamp for stamp, _ in sink.references] == [sample.stamp_ns for sample in sink.samples["left"]]


def test_the_rate_is_a_parameter(run_source: Callable[[Source], AbstractContextManager[Any]]) -> None:
    source = SimulatedSource(time.time_ns, rate=100.0)
    with run_source(source):
        time.sleep(2.5)
    rate, _ = source.health["left"].rate_and_jitter()
    assert rate == pytest.approx(100.0, rel=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 0.0}, "rate is 0.0 Hz"),
        ({"activity": "dancing"}, "dancing"),
        ({"ears": "elven"}, "ears is .elven., must be one of anatomical, faint, arbitrary"),
        ({"radio_delay": -1.0}, "radio_delay is -1.0 s"),
        ({"radio_delay": float("nan")}, "radio_delay is nan s"),
    ],
)
def test_impossible_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SimulatedSource(time.time_ns, **settings).open()


def test_a_missing_performance_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"nobody\.csv"):
        SimulatedSource(time.time_ns, performance=str(tmp_path / "nobody.csv")).open()
