"""The libraries that draw a VRM in a browser: fetched with npm on request only, and verified."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from empathy_agent.models.store import ModelError

from imuface_robot.fetched import Fetched

# three.js draws, and three-vrm reads and moves VRM 0 and 1; both under the MIT licence.
_PACKAGES = {
    "three@0.187.0": {
        "build/three.core.js": "three.core.js",
        "build/three.module.js": "three.module.js",
        "examples/jsm/loaders/GLTFLoader.js": "loaders/GLTFLoader.js",
        "examples/jsm/utils/BufferGeometryUtils.js": "utils/BufferGeometryUtils.js",
        "examples/jsm/utils/SkeletonUtils.js": "utils/SkeletonUtils.js",
    },
    "@pixiv/three-vrm@3.5.5": {"lib/three-vrm.module.min.js": "three-vrm.module.min.js"},
}
VIEWER = Fetched(
    "vrm-viewer",
    "what draws a VRM",
    {
        "loaders/GLTFLoader.js": "532ac726e120039acbcd6cf54328c57acbf7b438176afaa6951257126d11bff1",
        "three-vrm.module.min.js": "99f943e956e52dbf52bbe418899e8a8ae5e35f5c79a94ab8e404926afc620bf2",
        "three.core.js": "613e370f76638fdef83926642bf256dc9615684922de1ce1f63a8583e5d78578",
        "three.module.js": "104f56145899722094556490d787aae0617cc2fc3382f31df02d724ea1aee341",
        "utils/BufferGeometryUtils.js": "7bda2a8ba836b2bcf67cb938d4b9e1bb5d1b1bc616817103ed858c0b58296ce7",
        "utils/SkeletonUtils.js": "b1632a703206c3d830de9fcbe515696770d04b71a15ee6b50afa6d2c3298c86f",
    },
    "imuface vrm get",
)


def get(progress: Callable[[str], object] = lambda package: None) -> Path:
    """The folder of :data:`VIEWER`, fetched from the registry that npm is configured for if it is not there.

    Args:
        progress: called with each package before it is fetched.

    Raises:
        ModelError: it cannot be fetched, or is not what it should be.
    """

    def fetch(scratch: Path, fresh: Path) -> None:
        for package, members in _PACKAGES.items():
            progress(package)
            archive = _pack(package, scratch)
            _unpack(archive, members, fresh)
            archive.unlink()

    return VIEWER.get(fetch)


def _pack(package: str, folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise ModelError(f"npm, which fetches them, is not installed (Debian: apt install npm); then: {VIEWER.command}")
    command = [npm, "pack", package, "--silent", "--pack-destination", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    archives = list(folder.glob("*.tgz"))
    if result.returncode or len(archives) != 1:
        reason = (result.stderr.strip().splitlines() or ["no package was found"])[-1]
        raise ModelError(
            f"{package} cannot be downloaded ({reason}); check the network and npm's registry, then: {VIEWER.command}"
        )
    return archives[0]


def _unpack(archive: Path, members: dict[str, str], folder: Path) -> None:
    try:
        with tarfile.open(archive) as package:
            for member, name in members.items():
                content = package.extractfile(f"package/{member}")
                assert content is not None  # no folder
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(content.read())
    except (tarfile.TarError, KeyError) as error:
        raise ModelError(f"{archive.name} is damaged ({error}); run: {VIEWER.command}") from error
