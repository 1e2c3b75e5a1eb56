"""The network as it is trained computes what the one that reads does, and learns."""

from __future__ import annotations

import numpy as np
import pytest
from face_recon_node.models.file import load
from face_recon_node.models.signature.bands import CHANNELS, FaceBands
from face_recon_node.models.signature.model import SignatureModel
from face_recon_node.models.signature.network import EXPLAINED, SHAPES, Told, told
from face_recon_node.models.signature.signatures import EARS_SEEN
from face_recon_node.stream.alignment import RATE

torch = pytest.importorskip("torch", reason="needs requirements-training.txt")

from face_recon_node.training.module import SignatureModule  # noqa: E402
from torch import Tensor  # noqa: E402

FRAMES = 90


def channels(people: int = 1) -> Tensor:
    return torch.from_numpy(np.random.default_rng(0).normal(0.0, 1.0, (people, FRAMES, CHANNELS)).astype(np.float32))


def together(model: SignatureModel, *ears: int) -> Told[Tensor]:
    """What the module is told of as many people as there are ears named."""
    people = [vars(told(model.signatures, each)).values() for each in ears]
    return Told(*(torch.from_numpy(np.stack(parts)) for parts in zip(*people, strict=True)))


def module_of(model: SignatureModel) -> SignatureModule:
    module = SignatureModule()
    module.load_state_dict({name: torch.from_numpy(array) for name, array in model.network.arrays.items()})
    return module


@pytest.fixture
def module(untrained: SignatureModel) -> SignatureModule:
    return module_of(untrained)


@pytest.mark.parametrize("shipped", [False, True])
@pytest.mark.parametrize("ears", range(len(EARS_SEEN)))
@torch.inference_mode()
def test_what_is_read_frame_by_frame_is_what_was_trained(untrained: SignatureModel, ears: int, shipped: bool) -> None:
    model = load() if shipped else untrained
    assert isinstance(model, SignatureModel)
    guess, reading = module_of(model)(channels(), together(model, ears))
    person, network, bands = told(model.signatures, ears), model.network, FaceBands()
    first = second = None
    for frame, seen in enumerate(channels()[0].numpy()):
        hidden, said, first = network.look(seen[None], person, first)
        np.testing.assert_allclose(said[0], guess[0, frame], atol=1e-5)
        # The bands of the guess forget its constant part within minutes; training begins when that is over.
        face = said.astype(np.float64) * person.spread
        if frame == 0:
            held = bands.push(np.repeat(face, round(300 * RATE), axis=0))[-1]
            assert np.abs(held[list(EXPLAINED)]).max() < 1e-4
        guessed = bands.push(face)[:, list(EXPLAINED)].astype(np.float32)
        read, second = network.look_again(hidden, said, guessed, seen[None], person, second)
        for name, values in vars(read).items():
            np.testing.assert_allclose(values[0], getattr(reading, name)[0, frame], atol=1e-5, err_msg=name)


def test_a_module_and_its_network_have_the_same_arrays() -> None:
    module = SignatureModule()
    assert {name: tuple(value.shape) for name, value in module.state_dict().items()} == SHAPES
    for name, array in module.learned().arrays.items():
        np.testing.assert_array_equal(array, module.state_dict()[name].numpy())


def test_every_parameter_learns_from_what_is_said(untrained: SignatureModel, module: SignatureModule) -> None:
    guess, reading = module(channels(len(EARS_SEEN)), together(untrained, *range(len(EARS_SEEN))))
    sum(part.square().mean() for part in (guess, *vars(reading).values())).backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


def test_the_guess_learns_from_the_second_look_alone(untrained: SignatureModel, module: SignatureModule) -> None:
    _, reading = module(channels(), together(untrained, 0))
    reading.affect.square().mean().backward()
    assert module.guess.weight.grad is not None
    assert module.guess.weight.grad.any()


@torch.inference_mode()
def test_people_of_a_batch_do_not_mix(untrained: SignatureModel, module: SignatureModule) -> None:
    people = range(len(EARS_SEEN))
    seen = channels(len(people))
    _, all_of_them = module(seen, together(untrained, *people))
    for person in people:
        _, alone = module(seen[person : person + 1], together(untrained, person))
        torch.testing.assert_close(all_of_them.weights[person : person + 1], alone.weights, atol=1e-5, rtol=1e-4)
