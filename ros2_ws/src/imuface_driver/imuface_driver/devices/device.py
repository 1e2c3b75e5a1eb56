"""What the driver must know of an earphone to speak with it over Bluetooth LE: one :class:`Device` in one file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, Protocol

from imuface_core.earphone import EARS, Ear, Sample

BATTERY_LEVEL = "00002a19-0000-1000-8000-00805f9b34fb"  # Bluetooth assigned numbers: Battery Level, uint8 percent
ATT_HEADER = 3  # bytes of an ATT notification before its value
# (characteristic, bytes to write), or (characteristic, None): read it, where the device has it, for Decoder.configure.
Step = tuple[str, bytes | None]


class Decoder(Protocol):
    """Notifications of one device in, samples out. Accepts any bytes and never raises; lives across reconnects."""

    def configure(self, characteristic: str, data: bytes) -> None:
        """Take what a step of ``Device.start`` read. Raises ``ValueError``, for people, when it cannot be used."""

    def feed(self, characteristic: str, data: bytes) -> Sequence[Sample]:
        """Samples of one notification, in order of sampling; none, and a count more, when it cannot be used."""

    def counters(self) -> dict[str, int]:
        """Named counters of what was refused, since the decoder was made."""


@dataclass(frozen=True)
class Device:
    """One kind of earphone. UUIDs are whole and in lower case, as bleak gives them."""

    name: str  # value of the parameter that chooses it
    title: str  # for people
    service: str  # UUID of the service with the readings
    names: tuple[str, ...]  # globs of the advertised name, case-sensitive
    notify: tuple[str, ...]  # characteristics to subscribe to, before `start`
    decoder: Callable[[], Decoder]
    min_mtu: int  # ATT MTU that the largest packet needs: its bytes + ATT_HEADER; with less it comes cut
    start: tuple[Step, ...] = ()  # in this order, after each connection
    battery: str | None = BATTERY_LEVEL  # characteristic with the charge in percent
    ears: tuple[Ear, ...] = EARS  # which it can be
    # How a bud tells its ear: by its advertised name (`ear_names`), by its packets (`Sample.ear`), or the user must.
    ear_by: Literal["name", "packet", "user"] = "user"
    ear_names: Mapping[Ear, str] = field(default_factory=dict)  # globs

    def matches(self, advertised: str) -> bool:
        """Whether a device of this advertised name is of this kind."""
        return any(fnmatchcase(advertised, pattern) for pattern in self.names)

    def ear(self, advertised: str) -> Ear | None:
        """The ear of a device of this advertised name; None: the name does not tell."""
        if len(self.ears) == 1:
            return self.ears[0]
        return next((ear for ear, pattern in self.ear_names.items() if fnmatchcase(advertised, pattern)), None)
