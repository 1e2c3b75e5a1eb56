"""A person's minutes, recombined: each face with what the readings held beside the face at other moments.

In each band the readings are what the face contributes, by the person's signatures, plus a rest: head gestures,
swallowing, noise. Whoever learns from a few minutes learns by heart which rest came with which face. The same faces are
as likely with the rest of other moments, so they can be learned from as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from face_recon_node.data.segment import Segment
from face_recon_node.models.signature.bands import CHANNELS, FaceBands, ReadingBands
from face_recon_node.models.signature.signatures import Signatures

TIMES = 3
"""How often minutes are recombined, each time with the rest of other moments."""
LEAD_IN = 60
"""Frames of each segment that only set up filters and memory."""


class Recombined:
    """Readings in bands that a person's faces could as well have come with.

    Args:
        signatures: the person's, of all their data.
        segments: consecutive frames with both ears; of each more than :data:`LEAD_IN`.

    Raises:
        ValueError: there are no segments, or only such as are too short.
    """

    def __init__(self, signatures: Signatures, segments: Sequence[Segment]) -> None:
        self._faces = [_contributed(signatures, segment) for segment in segments]
        seen = (ReadingBands().push(segment.readings).reshape(-1, CHANNELS) for segment in segments)
        rests = [each[LEAD_IN:] - face[LEAD_IN:] for each, face in zip(seen, self._faces, strict=True)]
        self._begins = np.cumsum([0, *map(len, rests)])
        if not self._begins[-1]:
            raise ValueError(f"there are no segments of more than {LEAD_IN} frames to recombine")
        self._rest = np.concatenate(rests)

    def channels(self, number: int, time: int) -> NDArray[np.float32]:
        """(n, 42) bands of all n frames of a segment, with the rest of later frames, round and round.

        Args:
            number: of the segment.
            time: 1 to :data:`TIMES`, each with other moments' rest.
        """
        face, frames = self._faces[number], len(self._rest)
        rows = self._begins[number] - LEAD_IN + np.arange(len(face)) + time * frames // (TIMES + 1)
        mixed: NDArray[np.float32] = face + self._rest[rows % frames]
        return mixed


def _contributed(signatures: Signatures, segment: Segment) -> NDArray[np.float32]:
    """(n, 42) what the true face contributes to the bands."""
    bands = FaceBands().push(segment.weights).astype(np.float32)
    contributed: NDArray[np.float32] = np.einsum("nbw,baw->nba", bands, signatures.response).reshape(-1, CHANNELS)
    return contributed
