"""Which of the Bluetooth devices around are the person's earphones, and which ear each of them is."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from imuface_core.earphone import EARS, Ear

from imuface_driver.devices import DEVICES, Device

Identity = tuple[tuple[Device, ...], tuple[Ear, ...]]


@dataclass(frozen=True)
class Choice:
    """Which of the devices around are the person's."""

    kinds: Sequence[Device] = tuple(DEVICES.values())
    named: Mapping[Ear, str] = field(default_factory=dict)  # its address, or a glob of its advertised name

    def of(
        self, address: str, name: str, services: Collection[str]
    ) -> tuple[tuple[Device, ...], tuple[Ear, ...]] | None:
        """The kinds that it may be of and its ear, or both ears where only its packets tell; None: somebody else's.

        Raises ``ValueError`` with the remedy for a device that may be one of the person's.
        """
        kinds = tuple(kind for kind in self.kinds if kind.service in services or kind.matches(name))
        if self.named:
            pairs = self.named.items()
            ears = tuple(ear for ear, wanted in pairs if wanted.upper() == address or fnmatchcase(name, wanted))
            return (kinds or tuple(self.kinds), ears) if ears else None
        if not kinds:
            return None
        ear = next((ear for kind in kinds if (ear := kind.ear(name))), None)
        if ear is not None or any(kind.ear_by == "packet" for kind in kinds):
            return kinds, EARS if ear is None else (ear,)
        raise ValueError(untold(f"{name} ({address})", address))


def untold(label: str, address: str) -> str:
    """That nobody knows which ear a device is, and what to do."""
    return (
        f"nothing tells which ear {label} is: set bluetooth.left or bluetooth.right to {address} "
        "(imuface pair tells whether that was right)"
    )
