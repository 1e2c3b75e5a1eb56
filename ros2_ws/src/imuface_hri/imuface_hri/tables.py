"""Our landmarks, action units and expressions by their names in hri_msgs, where their numbers are constants."""

from __future__ import annotations

LANDMARKS = (
    *(f"RIGHT_EYEBROW_{place}" for place in ("OUTSIDE", 1, 2, 3, "INSIDE")),
    *(f"LEFT_EYEBROW_{place}" for place in ("INSIDE", 3, 2, 1, "OUTSIDE")),
    *("SELLION", "NOSE_1", "NOSE_2", "NOSE"),
    *(f"NOSTRIL_{place}" for place in (1, 2, 3, 4, 5)),
    *(f"RIGHT_EYE_{place}" for place in ("OUTSIDE", "TOP_1", "TOP_2", "INSIDE", "BOTTOM_2", "BOTTOM_1")),
    *(f"LEFT_EYE_{place}" for place in ("INSIDE", "TOP_2", "TOP_1", "OUTSIDE", "BOTTOM_1", "BOTTOM_2")),
    *("MOUTH_OUTER_RIGHT", *(f"MOUTH_OUTER_TOP_{place}" for place in (1, 2, 3, 4, 5))),
    *("MOUTH_OUTER_LEFT", *(f"MOUTH_OUTER_BOTTOM_{place}" for place in (5, 4, 3, 2, 1))),
    *("MOUTH_INNER_RIGHT", *(f"MOUTH_INNER_TOP_{place}" for place in (1, 2, 3))),
    *("MOUTH_INNER_LEFT", *(f"MOUTH_INNER_BOTTOM_{place}" for place in (3, 2, 1))),
)
"""Constants of hri_msgs/FacialLandmarks, in the order of imuface_interfaces/FacialLandmarks."""
PUPILS = ("RIGHT_PUPIL", "LEFT_PUPIL")

UNITS = {
    1: "INNER_BROW_RAISER",
    2: "OUTER_BROW_RAISER",
    4: "BROW_LOWERER",
    5: "UPPER_LID_RAISER",
    6: "CHEEK_RAISER",
    7: "LID_TIGHTENER",
    9: "NOSE_WRINKLER",
    10: "UPPER_LIP_RAISER",
    12: "LIP_CORNER_PULLER",
    14: "DIMPLER",
    15: "LIP_CORNER_DEPRESSOR",
    16: "LOWER_LIP_DEPRESSOR",
    17: "CHIN_RAISER",
    18: "LIP_PUCKER",
    19: "TONGUE_SHOW",
    20: "LIP_STRETCHER",
    22: "LIP_FUNNELER",
    24: "LIP_PRESSOR",
    26: "JAW_DROP",
    28: "LIP_SUCK",
    29: "JAW_THRUST",
    34: "CHEEK_PUFF",
    43: "EYES_CLOSED",
}
"""Constants of hri_msgs/FacialActionUnits by the number that we know the unit by (FACS)."""
