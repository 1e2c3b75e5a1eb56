"""A receiver on a real socket, and faces to send to it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from imuface_avatar.frame import AvatarFrame
from imuface_avatar.target import Target
from imuface_core.arkit import BLENDSHAPES


@pytest.fixture
def received() -> Iterator[Callable[[list[bytes]], list[bytes]]]:
    """Sends datagrams through a target to a socket of this machine, and returns what arrives there."""
    receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    receiver.bind(("127.0.0.1", 0))
    receiver.settimeout(5.0)
    target = Target("127.0.0.1", receiver.getsockname()[1])

    def through(datagrams: list[bytes]) -> list[bytes]:
        target.send(datagrams)
        return [receiver.recv(65_535) for _ in datagrams]

    yield through
    target.close()
    receiver.close()


@pytest.fixture
def face() -> Callable[..., AvatarFrame]:
    """A face whose weights are 0 except the given ones."""

    def make(stamp_ns: int = 10**18, **weights: float) -> AvatarFrame:
        return AvatarFrame(stamp_ns, np.array([weights.get(name, 0.0) for name in BLENDSHAPES]))

    return make
