"""VRM's presets as sums of ARKit's actions."""

from __future__ import annotations

from imuface_core.arkit import BLENDSHAPES
from imuface_core.vrm import PRESETS


def test_each_preset_is_a_sum_of_actions_and_none_is_beyond_1() -> None:
    for sums in PRESETS.values():
        assert set(sums) <= set(BLENDSHAPES)
        assert sum(factor for factor in sums.values() if factor > 0) == 1.0
