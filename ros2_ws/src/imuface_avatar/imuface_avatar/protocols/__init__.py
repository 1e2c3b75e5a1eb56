"""The protocols, one in each file: a file with a class ``PROTOCOL`` is one, by the file's name."""

from __future__ import annotations

import importlib
import pkgutil

from imuface_avatar.protocols.protocol import AvatarProtocol

PROTOCOLS: dict[str, type[AvatarProtocol]] = {
    module.name: importlib.import_module(f"{__name__}.{module.name}").PROTOCOL
    for module in pkgutil.iter_modules(__path__)
    if module.name != "protocol"
}

__all__ = ["PROTOCOLS", "AvatarProtocol"]
