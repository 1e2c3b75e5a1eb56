"""What a protocol is."""

from __future__ import annotations

from dataclasses import Field, field
from typing import Any, ClassVar, Protocol

from imuface_avatar.frame import AvatarFrame


def option(
    default: bool | int | float | str,
    description: str,
    *,
    within: tuple[float, float] | None = None,
    choices: tuple[str, ...] = (),
) -> Any:
    """A field of a protocol that its user may set: a parameter ``PROTOCOL.FIELD`` of the node."""
    return field(default=default, metadata={"description": description, "within": within, "choices": choices})


class AvatarProtocol(Protocol):
    """A way to tell another program of a face: a dataclass whose fields are its options."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    TITLE: ClassVar[str]
    """Its name, for people."""
    PORT: ClassVar[int]
    """The UDP port at which its receivers listen unless told otherwise."""

    def encode(self, frame: AvatarFrame) -> list[bytes]:
        """The datagrams that tell of a frame; none where there is nothing to say, or it is too soon."""
