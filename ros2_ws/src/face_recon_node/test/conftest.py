"""What several of the package's tests need."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import strategies as st

Content = dict[str, np.ndarray]


@pytest.fixture(scope="session")
def damage_one() -> Callable[[st.DataObject, Content], str]:
    """Damages one array of what a model file holds, and says which."""

    def damage_one(data: st.DataObject, content: Content) -> str:
        name = data.draw(st.sampled_from(sorted(content)))
        damage = data.draw(st.sampled_from(["missing", "shape", "nan", "inf", "scalar"]))
        if damage == "missing":
            del content[name]
        elif damage == "shape":
            content[name] = content[name][..., :-1]
        elif damage == "scalar":
            content[name] = np.array(1.0, np.float32)
        else:
            damaged = content[name].copy()
            damaged.flat[data.draw(st.integers(0, damaged.size - 1))] = float(damage)
            content[name] = damaged
        return name

    return damage_one
