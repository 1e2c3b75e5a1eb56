"""Which of the Bluetooth devices around are the person's earphones, and which ear each of them is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from imuface_core.earphone import Ear

from imuface_driver.devices import DEVICES, Device


@dataclass(frozen=True)
class Choice:
    """Which of the devices around are the person's."""

    kinds: Sequence[Device] = tuple(DEVICES.values())
    named: Mapping[Ear, str] = field(default_factory=dict)  # its address, or a glob of its advertised name

    def of(self, address: str, name: str, services: Sequence[str]) -> tuple[Device, tuple[Ear, ...]] | None:
        """Its kind and the ear that it is, or both where only its packets tell; None for the devices of others.

        Raises ``ValueError`` with the remedy for a device that may be one of the person's.
        """
        kind = next((kind for kind in self.kinds if kind.service in services or kind.matches(name)), None)
        if self.named:
            pairs = self.named.items()
            ears = tuple(ear for ear, wanted in pairs if wanted.upper() == address or fnmatchcase(name, wanted))
            if not ears:
                return None
            if kind is None and len(self.kinds) > 1:
                known = ", ".join(kind.name for kind in self.kinds)
                raise ValueError(f"{name or address} does not say what it is: set bluetooth.device to one of {known}")
            return kind or self.kinds[0], ears
        if kind is None:
            return None
        ear = kind.ear(name)
        if ear is not None or kind.ear_by == "packet":
            return kind, (ear,) if ear is not None else kind.ears
        raise ValueError(
            f"nothing tells which ear {name} ({address}) is: set bluetooth.left or bluetooth.right to {address} "
            "(imuface pair finds out which)"
        )
