"""What an engine is asked in a turn: the prompt, and how the reply is drawn."""

from __future__ import annotations

from dataclasses import replace

from empathy_agent.engines import Decoding, Engine
from empathy_agent.grammar import chain_grammar
from empathy_agent.prompt import Manner, Message, begun, estimate_tokens, messages
from empathy_agent.scaffold import scaffold
from empathy_agent.session import Memory
from empathy_agent.turns import Turn, turn_of

REPLY_TOKENS = 1024
"""Left for the reply. Under the grammar a reply has 150 to 450."""
_CUE_TOKENS = 256
"""Left for what comes after the post: the kind of turn, and what the face showed."""
_STEP = 512
"""Tokens by which the room for the post grows. While a post that is still being said stays within its room, no turn is
dropped from the prompt that has been evaluated."""


def request(
    engine: Engine,
    language: str,
    text: str,
    *,
    memory: Memory | None = None,
    affect: str = "",
    seed: int | None = None,
) -> tuple[list[Message], Decoding]:
    """Prompt and decoding for a post in ``"zh"`` or ``"en"``, with as much of the session as the context holds."""
    memory = memory or Memory()
    turn = turn_of(text, language, memory.before)
    kept = _fitting(engine, language, text, memory)
    prompt = messages(language, text, turn, kept, affect, manner(engine))
    return prompt, _decoding(engine, language, text, turn, memory, affect, seed)


def manner(engine: Engine) -> Manner:
    """What an engine's model needs to be told."""
    if engine.worked_examples:
        return Manner.SHOWN
    return Manner.HELD if engine.scaffold else Manner.TRAINED


def lesson(language: str, text: str, memory: Memory | None = None, affect: str = "") -> list[Message]:
    """The prompt of a post as a model that is being trained sees it."""
    memory = memory or Memory()
    return messages(language, text, turn_of(text, language, memory.before), memory, affect, manner=Manner.TRAINED)


def prefix(engine: Engine, language: str, text: str, memory: Memory) -> list[Message]:
    """What the prompt of a post begins with that is known as far as ``text``.

    It fits the context, and is what :func:`request` begins with whatever the face shows and the post goes on with, as
    long as the post stays within the same multiple of 512 tokens (some 500 Chinese characters, 1,500 letters).
    """
    return begun(language, text, _fitting(engine, language, text, memory), manner(engine))


def tokens(prompt: list[Message]) -> int:
    """Upper estimate."""
    return sum(estimate_tokens(message["content"]) for message in prompt)


def _fitting(engine: Engine, language: str, text: str, memory: Memory) -> Memory:
    """The memory without the oldest turns, and at last without the summary, where the context does not hold them."""
    post = -(-estimate_tokens(text) // _STEP) * _STEP
    room = engine.context - REPLY_TOKENS - _CUE_TOKENS - post
    while memory.turns and tokens(begun(language, "", memory, manner(engine))) > room:
        memory = replace(memory, turns=memory.turns[1:])
    if memory.summary and tokens(begun(language, "", memory, manner(engine))) > room:
        memory = replace(memory, summary="")
    return memory


def _decoding(
    engine: Engine, language: str, text: str, turn: Turn, memory: Memory, affect: str, seed: int | None
) -> Decoding:
    decoding = Decoding(max_tokens=REPLY_TOKENS, seed=seed)
    if engine.scaffold:
        earlier = [turn.post for turn in memory.turns]
        plan = scaffold(turn, language, text, earlier, memory.said, affect)
        return replace(decoding, places=plan.places("" if language == "zh" else " "))
    if engine.supports_grammar:
        decoding = replace(decoding, grammar=chain_grammar(language, turn))
    # Small models that were trained on the format write freely, and drawn timidly they run in circles.
    trained = manner(engine) is Manner.TRAINED
    return replace(decoding, temperature=0.7, repeat_penalty=1.1) if trained else decoding
