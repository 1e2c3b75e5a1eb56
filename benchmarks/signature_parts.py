"""What each part of the signature model buys: the whole beside itself without a part, on the same simulated people.

    .venv/bin/python benchmarks/signature_parts.py [--people 6] [--ears faint] [--remounted] [--json]

All figures are of simulated ears, on people whom no model was trained on. The baseline is a face that never moves.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable

from face_recon_node.data.segment import first_minutes
from face_recon_node.evaluation.assessment import assess
from face_recon_node.models.constant import MedianFace
from face_recon_node.models.file import load
from face_recon_node.models.model import FaceModel, Person
from face_recon_node.models.signature.model import SignatureModel
from face_recon_node.models.signature.readout import Readout
from face_recon_node.models.signature.signatures import WEIGHTS
from imuface_simulation import PEOPLE
from imuface_study.comparison import SimulatedPeople
from imuface_study.results import mean_assessment
from imuface_study.settings import caveat
from imuface_study.table import MEASURED
from threadpoolctl import threadpool_limits

SHOWN = (
    "mm", "expressive mm", "median r", "r ≥ 0.7", "jawOpen r", "jawOpen gain", "smile r", "smile gain", "brow raise r",
    "valence r",
)  # fmt: skip


def signature() -> SignatureModel:
    """The shipped model, anew."""
    model = load()
    assert isinstance(model, SignatureModel)
    return model


def without_readout(person: Person) -> FaceModel:
    model = signature().fit([person])
    model.readout = Readout.none()
    return model


def first_look(person: Person) -> FaceModel:
    """The guess alone: the second look changes no weight, and nothing is read off it."""
    model = signature().fit([person])
    model.readout = Readout.none()
    for part in ("weight", "bias"):
        model.network.arrays[f"out.{part}"][:WEIGHTS] = 0.0
    return model


def first_minute(person: Person) -> FaceModel:
    return signature().fit([Person(first_minutes(person.segments, 1.0), person.neutral)])


VARIANTS: dict[str, Callable[[Person], FaceModel]] = {
    "median face (baseline)": lambda person: MedianFace().fit([person]),
    "the whole": lambda person: signature().fit([person]),
    "without the readout": without_readout,
    "the first look only": first_look,
    "one minute of data": first_minute,
    "no data of the person": lambda person: signature(),
}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=6)
    parser.add_argument("--ears", choices=PEOPLE, default="anatomical")
    parser.add_argument("--remounted", action="store_true", help="the buds are put in anew for the test")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    threadpool_limits(1)
    people = SimulatedPeople(options.people, options.ears, remounted=options.remounted, seed=options.seed)
    cases = people.cases(lambda *_: None, 1)
    found = {}
    for name, variant in VARIANTS.items():
        rows = []
        for case in cases:
            assert case.own is not None
            rows.append(assess(variant(case.own), case.tested.segments, case.tested.neutral))
        found[name] = mean_assessment(rows)
    if options.json:
        print(json.dumps({name: assessment.to_json() for name, assessment in found.items()}))
        return
    print(f"{caveat(options.ears)} {people}.")
    print(f"| | {' | '.join(SHOWN)} |\n|---|{'---:|' * len(SHOWN)}")
    for name, assessment in found.items():
        values = [(MEASURED[heading][0](assessment), MEASURED[heading][1]) for heading in SHOWN]
        cells = ["–" if value is None else format(value, form) for value, form in values]
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
