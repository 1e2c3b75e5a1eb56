"""The packages of the camera reference, which Earnest does without unless somebody asks for it."""

from __future__ import annotations

import importlib
from typing import Any

from imuface_core.extras import EXTRAS

INSTALL = EXTRAS["camera"].install


def load(module: str) -> Any:
    """Import ``cv2`` or ``mediapipe``. Raises ``ImportError`` with the command that installs them."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"a camera reference needs {module} ({error}); install it with: {INSTALL}") from error
