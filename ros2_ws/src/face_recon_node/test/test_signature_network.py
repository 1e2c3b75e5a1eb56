"""The network looks twice: at windows as at a stream."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from face_recon_node.affect import EXPRESSIONS
from face_recon_node.models.signature.bands import CHANNELS, FaceBands
from face_recon_node.models.signature.model import SignatureModel, told
from face_recon_node.models.signature.network import EXPLAINED, LstmState, Reading, SignatureNetwork, Told
from face_recon_node.models.signature.signatures import EARS_SEEN, WEIGHTS
from face_recon_node.stream.alignment import RATE
from torch import Tensor

FRAMES = 90


def channels(people: int = 1, frames: int = FRAMES, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(0.0, 1.0, (people, frames, CHANNELS)).astype(np.float32))


def held_before(network: SignatureNetwork, seen: Tensor, person: Told, cuts: list[int]) -> tuple[Tensor, Reading]:
    """What a stream says whose first face had been held for long, in pieces."""
    mean, spread = person.mean[0].numpy(), person.spread[0].numpy()
    bands, parts = FaceBands(), []
    first: LstmState | None = None
    second: LstmState | None = None
    for number, piece in enumerate(torch.tensor_split(seen, cuts, dim=1)):
        hidden, guess, first = network.look(piece, person, first)
        faces = guess[0].numpy() * spread + mean
        if number == 0:
            bands.push(np.repeat(faces[:1], round(300 * RATE), axis=0))
        guessed = torch.from_numpy(bands.push(faces)[:, list(EXPLAINED)].astype(np.float32))[None]
        reading, second = network.look_again(hidden, guess, guessed, piece, person, second)
        parts.append((guess, reading))
    names = list(vars(parts[0][1]))
    joined = Reading(*(torch.cat([getattr(reading, name) for _, reading in parts], dim=1) for name in names))
    return torch.cat([guess for guess, _ in parts], dim=1), joined


@pytest.mark.parametrize("ears", range(len(EARS_SEEN)))
@pytest.mark.parametrize("cuts", [[], [1, 2, 40]])
@torch.inference_mode()
def test_a_window_is_read_as_a_stream_whose_first_face_was_held_before(
    untrained: SignatureModel, ears: int, cuts: list[int]
) -> None:
    person, seen = told(untrained.signatures, ears), channels()
    guess, reading = untrained.network(seen, person)
    streamed_guess, streamed = held_before(untrained.network, seen, person, cuts)
    torch.testing.assert_close(guess, streamed_guess, atol=1e-5, rtol=1e-4)
    for name, values in vars(reading).items():
        torch.testing.assert_close(values, getattr(streamed, name), atol=1e-4, rtol=1e-3)


def test_every_parameter_learns_from_what_is_said(untrained: SignatureModel) -> None:
    people = [told(untrained.signatures, ears) for ears in range(len(EARS_SEEN))]
    together = Told(*(torch.cat(parts) for parts in zip(*(vars(person).values() for person in people), strict=True)))
    guess, reading = untrained.network(channels(len(people)), together)
    sum(part.square().mean() for part in (guess, *vars(reading).values())).backward()
    for name, parameter in untrained.network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


def test_the_guess_learns_from_the_second_look_alone(untrained: SignatureModel) -> None:
    _, reading = untrained.network(channels(), told(untrained.signatures, 0))
    reading.affect.square().mean().backward()
    grad = untrained.network.guess.weight.grad
    assert grad is not None
    assert grad.any()


@torch.inference_mode()
def test_shapes_and_bounds_hold_for_readings_beyond_all_measure(untrained: SignatureModel) -> None:
    guess, reading = untrained.network(1e6 * channels(), told(untrained.signatures, 0))
    assert guess.shape == reading.weights.shape == reading.weights_log_std.shape == (1, FRAMES, WEIGHTS)
    assert reading.affect.shape == (1, FRAMES, 2)
    assert reading.expressions.shape == (1, FRAMES, len(EXPRESSIONS))
    assert all(torch.isfinite(part).all() for part in (guess, *vars(reading).values()))
    assert -5.0 <= float(reading.weights_log_std.min()) <= float(reading.weights_log_std.max()) <= 2.0


@torch.inference_mode()
def test_people_of_a_batch_do_not_mix(untrained: SignatureModel) -> None:
    people = [told(untrained.signatures, ears) for ears in range(len(EARS_SEEN))]
    together = Told(*(torch.cat(parts) for parts in zip(*(vars(person).values() for person in people), strict=True)))
    seen = channels(len(people))
    _, all_of_them = untrained.network(seen, together)
    for number, person in enumerate(people):
        _, alone = untrained.network(seen[number : number + 1], person)
        torch.testing.assert_close(all_of_them.weights[number : number + 1], alone.weights, atol=1e-5, rtol=1e-4)
