"""A library that is missing is named with what installs it, and every extra is a file with its libraries."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from imuface_core.extras import EXTRAS, explained

ROOT = next((parent for parent in Path(__file__).resolve().parents if (parent / "requirements.txt").exists()), None)


def test_a_library_of_an_extra_is_named_with_its_file() -> None:
    message = r"^torch is not .*: pip install -r requirements-training\.txt$"
    with pytest.raises(ModuleNotFoundError, match=message), explained(), explained():
        raise ModuleNotFoundError("No module named 'torch.nn'", name="torch.nn")


@pytest.mark.parametrize("name", ["no_such_module", "os.no_such_module"])
def test_any_other_error_is_left_alone(name: str) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"^No module named"), explained():
        importlib.import_module(name)
    with pytest.raises(ImportError, match=r"^no name$"), explained():
        raise ImportError("no name")


@pytest.mark.skipif(ROOT is None, reason="the package stands alone")
@pytest.mark.parametrize("name", EXTRAS)
def test_each_extra_is_a_file_at_the_root_that_names_its_libraries(name: str) -> None:
    assert ROOT is not None
    text = (ROOT / EXTRAS[name].install.split()[-1]).read_text().lower()
    distributions = {"sklearn": "scikit-learn", "cv2": "opencv-python-headless", "colcon_core": "colcon"}
    for library in EXTRAS[name].libraries:
        distribution = distributions.get(library, library.replace("_", "-"))
        assert any(line.startswith(distribution) for line in text.splitlines()), distribution
