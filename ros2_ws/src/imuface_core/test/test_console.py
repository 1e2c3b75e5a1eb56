from __future__ import annotations

import pytest
import typer
from imuface_core.console import one_line_errors


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("rate is -5"), "error: rate is -5"),
        (FileNotFoundError("there is no session at x"), "error: there is no session at x"),
        (
            ModuleNotFoundError("No module named 'torch'", name="torch"),
            "error: torch is not installed; get it with: pip install -r requirements-training.txt",
        ),
    ],
)
def test_a_mistake_is_one_line_and_status_1(error: Exception, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught, one_line_errors():
        raise error
    assert caught.value.exit_code == 1
    assert capsys.readouterr().err == f"{line}\n"


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), one_line_errors():
        raise ZeroDivisionError
