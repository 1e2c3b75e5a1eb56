"""Each conversation finds its own slot again."""

from __future__ import annotations

from empathy_agent.engines.slots import ANY, Slots
from empathy_agent.prompt import Message

PREAMBLE = [Message(role="system", content="Listen.")]


def turn(*texts: str) -> list[Message]:
    roles = ("user", "assistant")
    return PREAMBLE + [Message(role=roles[index % 2], content=text) for index, text in enumerate(texts)]


def use(slots: Slots, messages: list[Message]) -> int:
    with slots.taken(messages) as slot:
        return slot


def test_conversations_keep_their_slots() -> None:
    slots = Slots(3)
    ada, bob = use(slots, turn("I am Ada")), use(slots, turn("I am Bob"))
    assert ada != bob
    assert use(slots, turn("I am Ada", "Hello", "It rains")) == ada
    assert use(slots, turn("I am Bob", "Hello", "It snows")) == bob
    assert use(slots, turn("I am Ada", "Hello", "It rains", "It does", "Still")) == ada


def test_a_cue_after_the_post_does_not_hide_the_conversation() -> None:
    slots = Slots(2)
    ada, bob = use(slots, turn("I am Ada (smiles)")), use(slots, turn("I am Bob (frowns)"))
    assert use(slots, turn("I am Bob", "Hello", "It snows")) == bob
    assert use(slots, turn("I am Ada", "Hello", "It rains")) == ada


def test_another_preamble_is_a_new_conversation() -> None:
    slots = Slots(2)
    english = use(slots, turn("I am Ada"))
    assert use(slots, [Message(role="system", content="倾听。"), *turn("I am Ada")[1:]]) != english


def test_a_new_conversation_gets_the_slot_that_was_used_least_recently() -> None:
    slots = Slots(2)
    ada, bob = use(slots, turn("I am Ada")), use(slots, turn("I am Bob"))
    assert use(slots, turn("I am Ada", "Hello", "It rains")) == ada
    assert use(slots, turn("I am Eve")) == bob


def test_a_post_that_goes_on_keeps_its_slot() -> None:
    slots = Slots(3)
    first = use(slots, turn("My boss"))
    use(slots, turn("Your boss"))
    assert use(slots, turn("My boss told me")) == first
    assert use(slots, turn("My boss told me to go.")) == first


def test_a_busy_slot_is_left_alone() -> None:
    slots = Slots(2)
    with slots.taken(turn("I am Ada")) as ada, slots.taken(turn("I am Ada")) as other:
        assert {ada, other} == {0, 1}
        assert use(slots, turn("I am Ada")) == ANY
        with slots.all_free() as free:
            assert free == []
    with slots.all_free() as free:
        assert sorted(free) == [0, 1]
        assert use(slots, turn("I am Ada")) == ANY
