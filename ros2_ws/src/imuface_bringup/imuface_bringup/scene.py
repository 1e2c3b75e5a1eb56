"""What the Rerun viewer shows of one person: face, ears, affect and dialogue. Free of ROS.

Messages are taken as they come from rclpy or from a bag: both have the fields of the message definitions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import rerun as rr
import rerun.blueprint as rrb
from face_recon_node.head import HeadModel
from face_recon_node.head.render import vertex_normals
from imuface_core import topics
from imuface_core.arkit import INDEX
from imuface_core.stamps import to_ns
from imuface_core.topics import Topic

APPLICATION = "earnest"
_TIMELINE = "time"
# A mesh is 60 kB, which adds up in a recording.
_MESH_PERIOD_NS = 90_000_000

_SKIN = (226, 178, 150)
_RECONSTRUCTED = (38, 110, 200)
_TRUE = (236, 120, 40)
# Shades of one colour for the axes of one ear.
_AXES = {
    "left": ((16, 64, 130), (38, 110, 200), (120, 175, 240)),
    "right": ((150, 60, 10), (236, 120, 40), (250, 180, 120)),
}
# The time is there by itself; one person has one dialogue.
_LOG_COLUMNS = rrb.archetypes.TextLogColumns(text_log_columns=["LogLevel", "Body"])
_QUIET = (130, 130, 135)
_BACKGROUND = (244, 245, 248)
# The actions that are plotted against the truth: those that move the ears most and show an emotion.
_PLOTTED = ("jawOpen", "mouthSmileLeft", "browInnerUp")
_LAYERS = (
    ("Emotions and context", "emotions_and_context"),
    ("Causes and beliefs", "causes_and_beliefs"),
    ("Intention", "intention"),
    ("Strategy", "strategy"),
)


class Scene:
    """Logs one person's messages to a Rerun recording."""

    def __init__(self, recording: rr.RecordingStream, head: HeadModel) -> None:
        self._recording = recording
        self._head = head
        self._mesh_ns = 0
        self._expression = ""
        self._handlers: dict[str, Callable[[Any], None]] = {
            topics.IMU["left"]: lambda message: self._imu("left", message),
            topics.IMU["right"]: lambda message: self._imu("right", message),
            topics.FACE_BLENDSHAPES: self._blendshapes,
            topics.FACE_LANDMARKS: lambda message: self._landmarks("reconstructed", message),
            topics.REFERENCE_LANDMARKS: lambda message: self._landmarks("true", message),
            topics.REFERENCE_BLENDSHAPES: lambda message: self._actions("true", message),
            topics.AFFECT: self._affect,
            topics.UTTERANCE: self._utterance,
            topics.HEARD: self._utterance,
            topics.REPLY: self._reply,
        }
        self._set_up()

    @property
    def topics(self) -> list[Topic]:
        """The topics that :meth:`add` takes, relative to the person's namespace."""
        return [topics.KNOWN[name] for name in self._handlers]

    def add(self, topic: str, message: Any) -> None:
        """Show one message, at the time of its stamp."""
        self._recording.set_time(_TIMELINE, timestamp=np.datetime64(to_ns(message.header.stamp), "ns"))
        self._handlers[topic](message)

    def flush(self) -> None:
        """Wait until everything is written or sent."""
        self._recording.flush()

    def close(self) -> None:
        """Finish the file, or take leave of the server."""
        self._recording.flush()
        self._recording.disconnect()

    def _set_up(self) -> None:
        """What does not change: triangles and colours of the mesh, names and colours of the plots."""
        still = rr.Mesh3D.from_fields(
            triangle_indices=self._head.triangles,
            vertex_colors=_SKIN if self._head.colors is None else self._head.colors,
        )
        self._recording.log("face/mesh", still, static=True)
        for ear in ("left", "right"):
            for quantity in ("acceleration", "angular_velocity"):
                style = rr.SeriesLines(names=[f"{ear} {axis}" for axis in "xyz"], colors=_AXES[ear])
                self._recording.log(f"ear/{ear}/{quantity}", style, static=True)
        for name in _PLOTTED:
            for kind, color in (("reconstructed", _RECONSTRUCTED), ("true", _TRUE)):
                style = rr.SeriesLines(names=f"{name}, {kind}", colors=color, widths=1.5)
                self._recording.log(f"action/{name}/{kind}", style, static=True)
        style = rr.SeriesLines(names=["valence", "arousal"], colors=[_RECONSTRUCTED, _TRUE], widths=2.0)
        self._recording.log("affect/state", style, static=True)
        self._recording.log("face", rr.ViewCoordinates.FLU, static=True)

    def _imu(self, ear: str, message: Any) -> None:
        for name, vector in (
            ("acceleration", message.linear_acceleration),
            ("angular_velocity", message.angular_velocity),
        ):
            self._recording.log(f"ear/{ear}/{name}", rr.Scalars([vector.x, vector.y, vector.z]))

    def _blendshapes(self, message: Any) -> None:
        self._actions("reconstructed", message)
        stamp_ns = to_ns(message.header.stamp)
        if abs(stamp_ns - self._mesh_ns) < _MESH_PERIOD_NS:
            return
        self._mesh_ns = stamp_ns
        vertices = self._head.vertices(np.asarray(message.weights, dtype=np.float32))
        moving = rr.Mesh3D.from_fields(
            vertex_positions=vertices, vertex_normals=vertex_normals(vertices, self._head.triangles)
        )
        self._recording.log("face/mesh", moving)

    def _actions(self, kind: str, message: Any) -> None:
        for name in _PLOTTED:
            self._recording.log(f"action/{name}/{kind}", rr.Scalars(float(message.weights[INDEX[name]])))

    def _landmarks(self, kind: str, message: Any) -> None:
        points = np.array([(point.x, point.y, point.z) for point in message.points])
        color = _RECONSTRUCTED if kind == "reconstructed" else _TRUE
        self._recording.log(f"face/landmarks/{kind}", rr.Points3D(points, colors=color, radii=0.0017))

    def _affect(self, message: Any) -> None:
        self._recording.log("affect/state", rr.Scalars([message.valence, message.arousal]))
        if message.expression != self._expression:
            self._expression = message.expression
            text = f"looks {message.expression} (confidence {message.confidence:.2f})"
            self._recording.log("dialogue/log", rr.TextLog(text, level="face", color=_QUIET))

    def _utterance(self, message: Any) -> None:
        self._recording.log("dialogue/log", rr.TextLog(message.text, level="person", color=_TRUE))

    def _reply(self, message: Any) -> None:
        self._recording.log("dialogue/log", rr.TextLog(message.answer, level="agent", color=_RECONSTRUCTED))
        parts = [f"**{title}.** {getattr(message, field)}" for title, field in _LAYERS if getattr(message, field)]
        text = "\n\n".join([message.answer, *(f"- {line}" for line in message.resources), "---", *parts])
        self._recording.log("dialogue/reply", rr.TextDocument(text, media_type=rr.MediaType.MARKDOWN))


def blueprint() -> rrb.Blueprint:
    """The layout: the face on the left, the plots beside it, the dialogue below."""
    face = rrb.Spatial3DView(
        origin="face",
        name="Face",
        background=_BACKGROUND,
        line_grid=False,
        eye_controls=rrb.EyeControls3D(position=(0.35, 0.06, -0.01), look_target=(0.0, 0.0, -0.022), eye_up=(0, 0, 1)),
    )
    plots = rrb.Vertical(
        _plot("Turning of the earphones, rad/s", ["ear/left/angular_velocity", "ear/right/angular_velocity"]),
        rrb.Tabs(*(_plot(name, [f"action/{name}/**"], (0.0, 1.0)) for name in _PLOTTED), name="Actions"),
        _plot("Affect", ["affect/state"], (-1.0, 1.0)),
    )
    dialogue = rrb.Horizontal(
        rrb.TextLogView(origin="dialogue/log", name="Dialogue", columns=_LOG_COLUMNS),
        rrb.TextDocumentView(origin="dialogue/reply", name="Reply"),
    )
    return rrb.Blueprint(
        rrb.Vertical(rrb.Horizontal(face, plots, column_shares=[1, 1]), dialogue, row_shares=[3, 1]),
        rrb.BlueprintPanel(state="collapsed"),
        rrb.SelectionPanel(state="collapsed"),
        rrb.TimePanel(state="collapsed", timeline=_TIMELINE),
        auto_views=False,
    )


def _plot(name: str, entities: list[str], limits: tuple[float, float] | None = None) -> rrb.TimeSeriesView:
    last_ten_seconds = rrb.VisibleTimeRange(
        _TIMELINE,
        start=rrb.TimeRangeBoundary.cursor_relative(seconds=-10.0),
        end=rrb.TimeRangeBoundary.cursor_relative(seconds=0.0),
    )
    return rrb.TimeSeriesView(
        origin="/",
        contents=[f"/{entity}" for entity in entities],
        name=name,
        time_ranges=last_ten_seconds,
        axis_y=None if limits is None else rrb.ScalarAxis(range=limits),
        plot_legend=rrb.PlotLegend(rrb.Corner2D.LeftTop),
    )
