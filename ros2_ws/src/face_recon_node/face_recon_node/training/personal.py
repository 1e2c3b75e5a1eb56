"""A personal model from a few minutes of a person's data.

1. How the person's face moves their ears is learned in closed form (:mod:`face_recon_node.tracking.mechanics`).
2. The network is trained further on the person's data. What it is told of the tracker comes from mechanics that were
   learned without the frame at hand (cross-fitting), or it would learn to trust a tracker that has seen the answer.
   Copies of the data with the earbuds seated and calibrated a little differently keep it from learning one seat by
   heart.
3. Two more opinions are learned from the same examples: what a regression reads off the tracker
   (:mod:`face_recon_node.tracking.readout`), and a recurrent network that knows nobody else
   (:mod:`face_recon_node.network.recurrent`).
4. How much each opinion counts depends on the minutes, and on how good it is on frames that none has seen. On the same
   frames the standard deviations are scaled.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from face_recon_node.head import HeadModel
from face_recon_node.head.personal import PersonalFace
from face_recon_node.network import FaceNetwork
from face_recon_node.network.imu_twin_trans import WEIGHTS
from face_recon_node.network.recurrent import Recurrent
from face_recon_node.network.wearer import Shares, Wearer
from face_recon_node.stream.alignment import RATE
from face_recon_node.stream.profile import EarProfile
from face_recon_node.tracking import Mechanics, facial_response, learn
from face_recon_node.tracking.readout import Readout
from face_recon_node.tracking.spans import spans
from face_recon_node.training import evaluation
from face_recon_node.training.copies import remix, reseated
from face_recon_node.training.estimate import Estimate
from face_recon_node.training.population import Example
from face_recon_node.training.processes import on_one_core, worker_pool
from face_recon_node.training.progress import Progress
from face_recon_node.training.stretch import Stretch
from face_recon_node.training.trainer import TrainingConfig, fit, statistics_of

SHORTEST = 26.0
"""s: less does not suffice for learning from one half of all but the last fifth, and trying on the other."""
FOLDS = 4
HALF_TUNED = 0.5
"""Minutes of data with which the network goes half of the way from the base's weights to the tuned ones."""
NETWORK_SHARE = 0.75
"""Of IMUTwinTrans in the output, as far as the unseen frames do not say otherwise."""
INSISTENCE, TOLERANCE = 10.0, 0.1
"""How strongly the share keeps to that, per square, and which part of the error is a clear difference when one minute
of data was recorded; with more minutes, a smaller part: the last fifth of a minute cannot tell skill from luck."""
READOUT_SHARE = 0.2
MOST_RECURRENT_SHARE, GROWN = 0.5, 4.0
"""Proportions of the others in the rest: of what is read off the tracker, and of the recurrent networks with endless
data, and minutes with which those are half of that: whoever knows nobody else has little to say after a minute."""
RECURRENT_NETWORKS = 2
"""Their mean owes less to the chance in their training than one does."""
LEAST_SPREAD = 0.05
"""Of its inputs: one that hardly moves is not to be amplified without limit."""
RECURRENT_TUNING: dict[str, Any] = {"batch": 32, "learning_rate": 4e-3}
"""Where else its training differs."""
LEAD_IN = 20.0
"""s"""
RESEATED, REMIXED = 3, 3
"""Copies of the data that are made of each fold."""


@dataclass(frozen=True)
class AdaptConfig:
    """Settings of the adaptation."""

    seed: int = 0
    steps_per_minute: float = 60.0
    min_steps: int = 60
    max_steps: int = 2700
    min_recurrent_steps: int = 150
    """A recurrent network takes as many steps as IMUTwinTrans, within these limits: it starts from nothing, but is
    small."""
    max_recurrent_steps: int = 2000
    batch: int = 16
    piece: int = 160
    warm_up: int = 32
    learning_rate: float = 1e-3
    held_out: float = 0.2
    """Share of the data, at its end, on which the standard deviations are scaled."""


def adapt(
    base: FaceNetwork,
    stretches: Sequence[Stretch],
    head: HeadModel | None = None,
    config: AdaptConfig | None = None,
    progress: Progress = lambda what, done, of: None,
    processes: int = 1,
) -> FaceNetwork:
    """Make a personal model.

    Args:
        base: network that is nobody's.
        stretches: of one person.
        head: what stands for landmarks that were not recorded; the shipped one by default.
        config: settings; the same on the same data gives the same model on the same machine.
        progress: see :data:`~face_recon_node.training.progress.Progress`.
        processes: with more than one, the trial without the last part of the data runs beside the final pass.

    Raises:
        ValueError: there is too little data.
    """
    head, config = head or HeadModel.load(), config or AdaptConfig()
    total = _frames(stretches)
    if total < SHORTEST * RATE:
        found = f"{total / RATE:.0f} s of the true face are too few"
        raise ValueError(f"{found}, {SHORTEST:.0f} are needed: record for longer")
    cut = round(total * (1.0 - config.held_out))
    trial, network = _trial_and_final(
        partial(_adapted, base, head, config), _part(stretches, 0, cut), stretches, progress, processes
    )
    rng = np.random.default_rng(config.seed)
    unseen = [seat for stretch in _part(stretches, cut, total) for seat in (stretch, reseated(stretch, rng))]
    trial = _between(base, trial, _tuned(cut))
    shares = chosen_shares(trial, unseen, total)
    trial = _mixed(trial, shares)
    scales = evaluation.scaled_to_cover(trial, unseen, _wearer(trial).face.deltas).statistics
    tuned = _tuned(total)
    network = _mixed(_between(base, network, tuned), shares)
    network = network.with_scales(scales.weights_std_scale, scales.landmarks_std_scale, scales.lost_ear_scale)
    constant = np.median(np.concatenate([stretch.weights for stretch in _part(stretches, 0, cut)]), axis=0)
    predictors: dict[str, Callable[[Stretch], NDArray[np.float32]]] = {
        "landmark_error_mm": lambda stretch: evaluation.predict(trial, stretch).weights,
        "constant_face_mm": lambda stretch: np.broadcast_to(constant, stretch.weights.shape),
    }
    errors = {
        name: evaluation.measure(predictor, unseen, _wearer(trial).face.deltas).landmark_error_mm
        for name, predictor in predictors.items()
    }
    network.card = {
        "model": "IMUTwinTrans",
        "personal": True,
        "protocol": "last fifth of the person's data, as recorded and as if the earbuds were seated anew",
        "figures": {name: round(error, 4) for name, error in errors.items()},
        "minutes": round(_minutes(total), 2),
        "tuned": round(tuned, 3),
        "shares": {name: round(share, 3) for name, share in asdict(shares).items()},
        "configuration": asdict(config),
        "base": base.card,
    }
    return network


def _frames(stretches: Sequence[Stretch]) -> int:
    return sum(len(stretch) for stretch in stretches)


def _minutes(frames: int) -> float:
    return frames / RATE / 60.0


def _tuned(frames: int) -> float:
    """How far to go from the base's weights to those tuned with that many frames: with little data, not all the way."""
    minutes = _minutes(frames)
    return minutes / (minutes + HALF_TUNED)


def _shares(frames: int, network: float) -> Shares:
    """How much each opinion counts with that many frames of data and a share of IMUTwinTrans."""
    minutes = _minutes(frames)
    recurrent = MOST_RECURRENT_SHARE * minutes / (minutes + GROWN)
    rest = (1.0 - network) / (READOUT_SHARE + recurrent)
    return Shares(network, rest * READOUT_SHARE, rest * recurrent)


def chosen_shares(trial: FaceNetwork, unseen: Sequence[Stretch], frames: int) -> Shares:
    """Shares by how good the opinions are together on frames that none of them has seen.

    Of the shares that IMUTwinTrans may have, the mean by how near the error is to the smallest.

    Args:
        trial: a personal network.
        unseen: what it was not learned from; frames with one ear do not count.
        frames: of data that the final network will be learned from.
    """
    deltas = _wearer(trial).face.deltas.reshape(WEIGHTS, -1)
    both = np.concatenate([stretch.present.all(axis=1) for stretch in unseen])
    if not both.any():
        return _shares(frames, NETWORK_SHARE)
    truth = np.concatenate([stretch.weights for stretch in unseen])
    misses = []
    for opinion in (_shares(frames, 1.0), _shares(frames, 0.0)):
        alone = _mixed(trial, opinion)
        told = np.concatenate([evaluation.predict(alone, stretch).weights for stretch in unseen])
        misses.append((told - truth)[both] @ deltas)
    shares = np.linspace(0.0, 1.0, 11)
    mixed = [share * misses[0] + (1.0 - share) * misses[1] for share in shares]
    errors = np.array([np.linalg.norm(miss.reshape(-1, 3), axis=1).mean() for miss in mixed])
    excess = errors / errors.min() - 1.0
    evidence = _minutes(frames) * excess / TOLERANCE
    likelihood = np.exp(-evidence - INSISTENCE * np.square(shares - NETWORK_SHARE))
    return _shares(frames, float(likelihood @ shares / likelihood.sum()))


def _mixed(network: FaceNetwork, shares: Shares) -> FaceNetwork:
    """The network with opinions that count as ``shares`` say."""
    return FaceNetwork(network.module, network.statistics, network.card, replace(_wearer(network), shares=shares))


def _between(base: FaceNetwork, adapted: FaceNetwork, tuned: float) -> FaceNetwork:
    """The adapted network with its weights moved back towards the base's.

    Half of the way keeps more of what the base knows about faces that the person has not shown (Wortsman et al. 2022,
    Robust fine-tuning of zero-shot models, CVPR).
    """
    module = copy.deepcopy(adapted.module)
    origin = base.module.state_dict()
    module.load_state_dict({name: origin[name].lerp(value, tuned) for name, value in module.state_dict().items()})
    return FaceNetwork(module, adapted.statistics, adapted.card, adapted.wearer)


def _wearer(network: FaceNetwork) -> Wearer:
    if network.wearer is None:
        raise ValueError("the network is nobody's")
    return network.wearer


def _trial_and_final(
    adapted: Callable[..., FaceNetwork],
    most: Sequence[Stretch],
    everything: Sequence[Stretch],
    progress: Progress,
    processes: int,
) -> tuple[FaceNetwork, FaceNetwork]:
    """Networks of most of the data and of everything; the same however many processes there are."""
    if processes == 1:
        trial = on_one_core(adapted, most, partial(progress, "trial without the last part of the data"))
        return trial, on_one_core(adapted, everything, partial(progress, "adapting"))
    with worker_pool(1) as pool:
        running = pool.submit(on_one_core, adapted, most)

        def report(done: int, of: int) -> None:
            if running.done():
                running.result()  # what ends the trial ends both
            progress("adapting", done, of)

        network = on_one_core(adapted, everything, report)
        return running.result(), network


def _adapted(
    base: FaceNetwork,
    head: HeadModel,
    config: AdaptConfig,
    stretches: Sequence[Stretch],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> FaceNetwork:
    landmarks = [stretch.true_landmarks(head) for stretch in stretches]
    face = PersonalFace.fitted(head, [stretch.weights for stretch in stretches], landmarks)
    frames = _frames(stretches)
    steps = round(np.clip(config.steps_per_minute * _minutes(frames), config.min_steps, config.max_steps))
    module = copy.deepcopy(base.module)
    tuning = TrainingConfig(
        seed=config.seed,
        steps=steps,
        batch=config.batch,
        piece=config.piece,
        warm_up=config.warm_up,
        untracked=0.0,
        learning_rate=config.learning_rate,
    )
    mechanics = learn(stretches, face.deltas)
    examples = cross_fitted(stretches, face.deltas, config.seed, mechanics)
    recurrent_steps = int(np.clip(steps, config.min_recurrent_steps, config.max_recurrent_steps))
    all_steps = steps + RECURRENT_NETWORKS * recurrent_steps
    fit(module, examples, face.deltas, tuning, partial(_report, progress, 0, all_steps))
    pieces = [(example.tracked[:, :WEIGHTS], example.weights) for example in examples]
    readout = Readout.learned(mechanics, face.deltas, pieces)
    recurrent_tuning = replace(tuning, **RECURRENT_TUNING, steps=recurrent_steps)
    recurrent: list[Recurrent] = []
    for number in range(RECURRENT_NETWORKS):
        own = replace(recurrent_tuning, seed=RECURRENT_NETWORKS * config.seed + number)
        report = partial(_report, progress, steps + number * recurrent_steps, all_steps)
        recurrent.append(_recurrent(readout, examples, face.deltas, own, report))
    profile = EarProfile.fitted(stretches)
    wearer = Wearer(mechanics, readout, tuple(recurrent), face, _shares(frames, NETWORK_SHARE), profile)
    return FaceNetwork(module, statistics_of(examples, face.deltas), base.card, wearer)


def _report(progress: Callable[[int, int], None], before: int, of: int, step: int, loss: float) -> None:
    progress(before + step, of)


def _recurrent(
    readout: Readout,
    examples: Sequence[Example],
    deltas: NDArray[np.float32],
    tuning: TrainingConfig,
    progress: Callable[[int, float], None],
) -> Recurrent:
    """A recurrent network, learned from scratch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(tuning.seed)
        recurrent = Recurrent()
        recurrent.tracked_mean.copy_(torch.from_numpy(readout.tracked_mean))
        recurrent.encode.copy_(torch.from_numpy(readout.encode))
        inputs = [(torch.from_numpy(one.features), torch.from_numpy(one.tracked)) for one in examples]
        seen = torch.cat([recurrent.inputs(*pair) for pair in inputs])
        recurrent.input_mean.copy_(seen.mean(dim=0))
        recurrent.input_std.copy_(seen.std(dim=0) + LEAST_SPREAD)
        fit(recurrent, examples, deltas, tuning, progress)
    return recurrent


def _part(stretches: Sequence[Stretch], begin: int, end: int) -> list[Stretch]:
    """The frames from ``begin`` to ``end`` of stretches that are counted through."""
    return [stretches[index][rows] for index, rows in spans(stretches, begin, end)]


def cross_fitted(
    stretches: Sequence[Stretch], deltas: NDArray[np.float32], seed: int = 0, assessed: Mechanics | None = None
) -> list[Example]:
    """What the network learns from, of one person: each frame tracked by mechanics that have not seen it.

    Args:
        stretches: of the person.
        deltas: (52, 51, 3) metres: how each ARKit action moves the landmarks.
        seed: decides about the copies' seats.
        assessed: mechanics learned from all of them, for the errors.

    Raises:
        ValueError: there is too little data.
    """
    rng = np.random.default_rng(seed)
    assessed = assessed or learn(stretches, deltas)
    response = facial_response(stretches, deltas)
    total = _frames(stretches)
    bounds = np.linspace(0, total, (FOLDS if total > 60 * RATE else 2) + 1).astype(int)
    examples = []
    for begin, end in itertools.pairwise(bounds):
        others = _part(stretches, 0, begin) + _part(stretches, end, total)
        mechanics = learn(others, deltas, assessed)
        # A tracker needs a while: it runs through what comes before, too.
        start = max(0, begin - round(LEAD_IN * RATE))
        lead_in = begin - start
        for stretch in _part(stretches, start, end):
            own = slice(min(lead_in, len(stretch)), None)
            lead_in -= min(lead_in, len(stretch))
            copies = [stretch, *(reseated(stretch, rng) for _ in range(RESEATED))]
            examples += [Example.tracked_by(mechanics, copy)[own] for copy in copies]
        for _ in range(REMIXED):
            for stretch in _part(stretches, begin, end):
                remixed = remix(stretch, response, rng)
                examples += [Example.tracked_by(mechanics, reseated(piece, rng)) for piece in remixed]
    return examples


def estimate(network: FaceNetwork, stretch: Stretch, face: PersonalFace) -> Estimate:
    """The faces of a stretch on a person's neutral face; a personal network uses its own person's actions."""
    prediction = evaluation.predict(network, stretch)
    own = network.face or face
    landmarks = PersonalFace(face.neutral, own.deltas).landmarks(prediction.weights)
    return Estimate(landmarks, prediction.weights, prediction.landmarks_std, prediction.weights_std)
