"""The command ``imuface head``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from face_recon_node.commands.console import one_line_errors


def head(
    scan: Annotated[Path, typer.Argument(help="Mesh or point cloud of the face at rest: PLY, OBJ or STL.")],
    output: Annotated[Path | None, typer.Option(help="Head model to write. [default: SCAN-head.npz, here]")] = None,
    unit: Annotated[
        str, typer.Option(help="Of the scan: m, cm, mm, or any where it is unknown; left out: told from the size.")
    ] = "",
    pupil_distance: Annotated[float | None, typer.Option(help="With --unit any: between the pupils, mm.")] = None,
    base: Annotated[Path | None, typer.Option(help="Head model to start from; left out: the shipped one.")] = None,
    picture: Annotated[Path | None, typer.Option(help="Draw the scan between both heads (PNG).")] = None,
) -> None:
    """Make a personal head from a scan, so that mesh, landmarks and pictures show the same person.

    The face should be at rest, with eyes and mouth as the person has them then. Its pose does not matter, nor do hair,
    shoulders and holes; what the scan lacks is filled in with what is likely. It takes some ten seconds.

    \b
    imuface head anna.ply
    imuface head anna.obj --output anna-head.npz --picture anna.png
    imuface head photogrammetry.obj --unit any --pupil-distance 61.5
    imuface up face head:=anna-head.npz
    """
    import numpy as np

    from face_recon_node.head import HeadModel
    from face_recon_node.head.likeness import fit_scan
    from face_recon_node.head.scan import ANY_UNIT, read_scan

    output = output or Path(f"{scan.stem}-head.npz")
    with one_line_errors():
        if pupil_distance is not None and unit != ANY_UNIT:
            raise ValueError("--pupil-distance goes with --unit any: the unit of a scan says how large the face is")
        if pupil_distance is not None and not 40.0 <= pupil_distance <= 80.0:
            raise ValueError(f"a pupil distance of {pupil_distance:g} mm is not a person's: expected 40 to 80 mm")
        model = HeadModel.load(base)
        read = read_scan(scan, unit)
        found = fit_scan(model, read, None if pupil_distance is None else pupil_distance * 1e-3)
        found.head.save(output)
        if picture is not None:
            from face_recon_node.head.picture import draw_likeness

            draw_likeness(model, read, found, picture)
    typer.echo(f"{scan}: {len(read.points)} points, {len(read.triangles)} triangles, unit {read.unit or 'unknown'}")
    typer.echo("distance of the face from the scan, median and what nine of ten points are within:")
    for name, distances in ((model.metadata.get("name", "head model"), found.before), ("personal head", found.after)):
        median, most = np.percentile(distances, (50, 90)) * 1e3
        typer.echo(f"  {name}: {median:.2f} mm, {most:.2f} mm")
    typer.echo(f"the scan holds {100 * found.covered:.0f} % of the face; the rest is what is likely")
    typer.echo(f"{output}: personal head; use it with: imuface up face head:={output}")
