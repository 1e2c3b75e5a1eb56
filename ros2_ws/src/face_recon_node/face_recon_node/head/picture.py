"""A picture by which to judge whether a fitted head is the scanned person."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from face_recon_node.head.likeness import Likeness
from face_recon_node.head.model import HeadModel
from face_recon_node.head.render import render_face
from face_recon_node.head.scan import Scan

_ANGLES = (0.0, 35.0)  # the head turned to its left, degrees
_PIXELS = (390, 480)  # of a panel


class _Panel(NamedTuple):
    title: str
    points: NDArray[np.floating]
    triangles: NDArray[np.integer]
    colors: NDArray[np.uint8] | None = None
    landmarks: NDArray[np.floating] | None = None


def draw_likeness(head: HeadModel, scan: Scan, found: Likeness, output: Path) -> None:
    """The model's own head, the scan where it has triangles, and the fitted head with its landmarks, of two sides.

    Raises:
        OSError: the picture cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    name, person = head.metadata.get("name", "head model"), found.head
    own = _Panel(name, head.neutral, head.triangles, head.colors)
    fitted = _Panel("fitted to it", person.neutral, person.triangles, person.colors)
    marked = _Panel("landmarks", person.neutral, person.triangles, None, person.landmark_neutral)
    panels = [own, fitted, marked]
    if len(scan.triangles):
        panels.insert(1, _Panel("scan", found.placing.to_face(scan.points), scan.triangles))
    figure = Figure(figsize=(2.6 * len(panels), 3.3 * len(_ANGLES)), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(_ANGLES), len(panels), squeeze=False)
    for row, yaw in zip(axes, _ANGLES, strict=True):
        for axis, (title, points, triangles, colors, landmarks) in zip(row, panels, strict=True):
            axis.imshow(render_face(points, triangles, _PIXELS, landmarks, colors=colors, yaw=yaw))
            axis.set_axis_off()
            if yaw == _ANGLES[0]:
                axis.set_title(title, fontsize=11)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=100)
