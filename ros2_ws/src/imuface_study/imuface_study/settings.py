"""Who takes part in a study, and the settings of the table: what a model is trained on, and tested on.

The names of a study's folders are its protocol (``docs/study.md``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from face_recon_node.data.segment import NEUTRAL_SECONDS
from face_recon_node.data.sessions import STUDY_FILE, study_description
from face_recon_node.stream.alignment import RATE
from imuface_core.recording import ImuTrack, Recording

PERFORMANCE = "performance_"
_UNCALIBRATED_SECONDS = 30.0


@dataclass(frozen=True)
class Setting:
    """What a model is trained on, and what it is tested on."""

    key: str
    title: str
    test: str
    """Role of the test sessions; :data:`PERFORMANCE` stands for all captures."""
    train: str | None = "train"
    """Role of the training session; None: no data of the person. :data:`PERFORMANCE`: the first capture, and the others
    are tested on."""
    minutes: float | None = None
    """The first minutes of the training data; None: all."""
    condition: str = "calibrated"
    """Of the test session: "calibrated", "uncalibrated" or "one ear"."""


def _short(key: str, minutes: float, name: str) -> list[Setting]:
    return [
        Setting(key, f"{name} of the person's data, same mounting", "test", minutes=minutes),
        Setting(f"{key}-remounted", f"{name} of the person's data, remounted", "remounted", minutes=minutes),
    ]


SETTINGS: tuple[Setting, ...] = (
    Setting("within", "Within session: all training minutes, same mounting", "test"),
    Setting("across", "Across sessions: all training minutes, remounted", "remounted"),
    Setting("unseen", "Across people: no data of the person, not even a calibration", "remounted", None, None,
            "uncalibrated"),
    Setting("neutral", "Neutral calibration only", "test", None),
    Setting("neutral-remounted", "Neutral calibration only, remounted", "remounted", None),
    *_short("30s", 0.5, "30 seconds"),
    *_short("1min", 1.0, "1 minute"),
    *_short("2min", 2.0, "2 minutes"),
    Setting("60min", "The ceiling: 60 minutes of the person's data, same mounting", "test", "long"),
    Setting("walking", "Walking: all training minutes, remounted", "walking"),
    Setting("one-ear", "One earbud lost after the calibration: all training minutes, same mounting", "test",
            condition="one ear"),
    Setting("one-ear-60min", "The ceiling of one ear: 60 minutes, one earbud lost after calibration", "test", "long",
            condition="one ear"),
    Setting("performance", "Real performances: all training minutes, remounted", PERFORMANCE),
    Setting("performance-adapted", "Real performances after adapting to one of them, remounted", PERFORMANCE,
            PERFORMANCE),
)  # fmt: skip


def choose_settings(keys: Sequence[str]) -> tuple[Setting, ...]:
    """Settings by their keys, in the table's order; all of them without keys.

    Raises:
        ValueError: there is no such setting.
    """
    known = [setting.key for setting in SETTINGS]
    for key in keys:
        if key not in known:
            raise ValueError(f"there is no setting '{key}'; there are {', '.join(known)}")
    return tuple(setting for setting in SETTINGS if not keys or setting.key in keys)


@dataclass(frozen=True)
class Participant:
    """One person's sessions."""

    name: str
    number: int
    """From 1."""
    roles: Mapping[str, tuple[Path, ...]]
    """Sessions of each role."""

    def training(self, setting: Setting) -> tuple[Path, ...]:
        """Sessions to train on; none: the setting is not for this participant, or takes no data of the person."""
        if setting.train == PERFORMANCE:
            captures = self._captures()
            return captures[:1] if len(captures) > 1 else ()
        return self.roles.get(setting.train, ()) if setting.train else ()

    def tests(self, setting: Setting) -> tuple[Path, ...]:
        """Sessions to test on."""
        if setting.test == PERFORMANCE:
            return self._captures()[1:] if setting.train == PERFORMANCE else self._captures()
        return self.roles.get(setting.test, ())

    def takes_part(self, setting: Setting) -> bool:
        """Whether there are the sessions that a setting needs."""
        return bool(self.tests(setting)) and (setting.train is None or bool(self.training(setting)))

    def _captures(self) -> tuple[Path, ...]:
        return tuple(path for role in sorted(self.roles) if role.startswith(PERFORMANCE) for path in self.roles[role])


@dataclass(frozen=True)
class Study:
    """Participants, and what ears they have."""

    name: str
    participants: tuple[Participant, ...]
    ears: str | None = None
    """Kind of simulated ears, empty where that is not known; None: people's."""

    @property
    def simulated(self) -> bool:
        """Whether nothing that is measured says anything about people."""
        return self.ears is not None


def read_study(folder: Path) -> Study:
    """Find the participants of a study.

    Raises:
        FileNotFoundError: there is no such folder.
        ValueError: it holds no sessions as a study does, or its ``study.yaml`` is damaged.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no study at {folder}; make one with `imuface study`")
    people = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    found = [(path, {role.name: (role,) for role in sorted(path.iterdir()) if role.is_dir()}) for path in people]
    found = [(path, roles) for path, roles in found if "test" in roles or "remounted" in roles]
    if not found:
        raise ValueError(
            f"{folder} holds no participant with a session called test or remounted: a study is laid out as "
            "STUDY/PARTICIPANT/train, .../test and so on (`imuface evaluate --help`)"
        )
    participants = (Participant(path.name, number, roles) for number, (path, roles) in enumerate(found, 1))
    description = study_description(folder / STUDY_FILE)
    ears = str(description.get("ears", "")) if description.get("simulated") else None
    return Study(folder.name, tuple(participants), ears)


def single_study(train: Sequence[Path], test: Sequence[Path]) -> Study:
    """A study of one person's sessions, wherever they lie."""
    roles = {"train": tuple(train), "test": tuple(test)}
    return Study(test[0].name, (Participant("person", 1, roles),))


def caveat(ears: str = "") -> str:
    """What has to be said of all figures of simulated ears, of a kind if that is known."""
    return f"Simulated ears{f' ({ears})' if ears else ''}: these figures say nothing about people."


def without_calibration(recording: Recording) -> Recording:
    """The recording for somebody who never shows a neutral face: it is preceded by the mean reading of its first 30 s.

    The calibration, which takes the mean of the first still seconds, takes that. What is said about the 30 s from which
    it was taken does not count, so their true face is cut off.
    """
    tracks = [track for track in (recording.left, recording.right) if track is not None]
    begin = min(int(track.stamps[0]) for track in tracks)
    end = begin + round(_UNCALIBRATED_SECONDS * 1e9)

    def led(track: ImuTrack | None) -> ImuTrack | None:
        if track is None or not (known := track.stamps <= end).any():
            return track
        count = round((NEUTRAL_SECONDS + 1.0) * RATE)
        before = track.stamps[0] - np.arange(count, 0, -1) * round(1e9 / RATE)
        means = [
            np.tile(values[known].mean(axis=0), (count, 1)) for values in (track.acceleration, track.angular_velocity)
        ]
        return ImuTrack(
            np.concatenate((before, track.stamps)),
            np.concatenate((means[0], track.acceleration)),
            np.concatenate((means[1], track.angular_velocity)),
        )

    cut = replace(recording, left=led(recording.left), right=led(recording.right))
    if (faces := cut.blendshapes) is not None:
        later = faces.stamps > end
        cut = replace(cut, blendshapes=replace(faces, stamps=faces.stamps[later], weights=faces.weights[later]))
    if (points := cut.landmarks) is not None:
        later = points.stamps > end
        cut = replace(cut, landmarks=replace(points, stamps=points.stamps[later], points=points.points[later]))
    return cut


def without_ear(recording: Recording, ear: str, after: int) -> Recording:
    """The recording without the samples of the "left" or "right" ear from a stamp on."""
    track = recording.left if ear == "left" else recording.right
    if track is None:
        return recording
    kept = track.stamps < after
    shortened = ImuTrack(track.stamps[kept], track.acceleration[kept], track.angular_velocity[kept])
    return replace(recording, left=shortened) if ear == "left" else replace(recording, right=shortened)


def lost_ear(participant: Participant) -> str:
    """Which earbud the participant loses: the left one of those with odd numbers."""
    return "left" if participant.number % 2 else "right"
