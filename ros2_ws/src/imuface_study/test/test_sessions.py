from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
from face_recon_node.commands.adapt import adapt
from face_recon_node.data.sessions import is_simulated, prepare_session
from imuface_core.bag import BagWriter, Storage, named_topics
from imuface_study.sessions import StudyPlan, make_study
from typer.testing import CliRunner

EARS = ["left=/ear_l/imu", "right=/ear_r/imu"]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One of a simulated study."""
    folder = tmp_path_factory.mktemp("study") / "small"
    make_study(folder, StudyPlan(participants=1, minutes=0.75, test_minutes=0.2), lambda what, done, of: None)
    return folder / "p01" / "train"


def test_a_session_is_simulated_as_its_study_says_also_by_its_file(session: Path, tmp_path: Path) -> None:
    assert is_simulated(session)
    assert is_simulated(session / "train.mcap")
    assert not is_simulated(tmp_path)


def test_ears_of_other_names_are_learned_from(session: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Storage(session) as storage, BagWriter(tmp_path / "robot") as writer:
        for connection, time_ns, data in storage.messages(storage.connections):
            names = {f"/imuface/{ear}/imu/data_raw": f"/ear_{ear[0]}/imu" for ear in ("left", "right")}
            renamed = connection._replace(topic=names.get(connection.topic, connection.topic))
            writer.write(writer.topic_like(renamed), time_ns, data)
    (here, *_), (there, *_) = (
        prepare_session(tmp_path / "robot", names=named_topics(EARS))[0],
        prepare_session(session)[0],
    )
    np.testing.assert_array_equal(here.readings, there.readings)

    application = typer.Typer()
    application.command()(adapt)
    arguments = [str(tmp_path / "robot"), "--output", str(tmp_path / "anna.npz"), "--json"]
    refused = CliRunner().invoke(application, arguments)
    assert refused.exit_code == 1
    assert "name the ears with --topic left=/ear_l/imu" in " ".join(refused.output.split())
    result = CliRunner().invoke(application, [*arguments, *(word for ear in EARS for word in ("--topic", ear))])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["sessions"] == ["robot"]
    assert "skipped" in caplog.text  # the first time only
