"""Chat messages that ask a model for a chain of empathy (Empathy-R1, arXiv:2509.14851)."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict

from empathy_agent.chain import Chain, Layer
from empathy_agent.language import language_data

if TYPE_CHECKING:
    from empathy_agent.session import Memory
    from empathy_agent.turns import Turn


class Message(TypedDict):
    """One chat message of the OpenAI form."""

    role: str
    content: str


class Manner(enum.Enum):
    """What a model needs to be told, see the catalogue of models."""

    SHOWN = "shown"
    """The instructions, and worked examples of the format."""
    HELD = "held"
    """The instructions; it chooses from a scaffold."""
    TRAINED = "trained"
    """One sentence: it was trained on conversations of this form, in which its own thoughts stand."""


def preamble(language: str, manner: Manner = Manner.SHOWN) -> list[Message]:
    """The messages every conversation in a language begins with: the instructions and the worked examples.

    They are always the same, so an engine evaluates them once and keeps them cached.
    """
    data = language_data(language)
    result = [Message(role="system", content=data["trained" if manner is Manner.TRAINED else "system"])]
    for example in data["examples"] if manner is Manner.SHOWN else ():
        chain = Chain({layer: example[layer.tag] for layer in Layer})
        result.append(Message(role="user", content=data["post"].format(text=example["post"])))
        result.append(Message(role="assistant", content=chain.serialise()))
    return result


def estimate_tokens(text: str) -> int:
    """Upper estimate of the tokens of a chat message: one per Chinese character, one per three other letters.

    Measured on Qwen2.5: 0.6 per Chinese character, 0.25 per English letter.
    """
    return len(text.encode()) // 3 + 8


def messages(
    language: str,
    text: str,
    turn: Turn,
    memory: Memory,
    affect: str = "",
    manner: Manner = Manner.SHOWN,
) -> list[Message]:
    """Messages for one post, in an order in which what is known first comes first.

    ``memory`` holds the turns before; ``affect`` says in words what the face showed, empty for no cue; the prompt marks
    it as uncertain. It comes after the post, as does what is said of the kind of turn, so that the prompt can be
    evaluated while the person still speaks. A model that chooses finds the kind of turn in what it is offered.
    """
    data = language_data(language)
    result = begun(language, text, memory, manner)
    cues = [data["affect"].format(summary=affect)] * bool(affect)
    cues += [data["turns"][turn.kind]] * (manner is not Manner.HELD)
    result[-1] = Message(role="user", content="\n".join([result[-1]["content"], *cues]))
    return result


def begun(language: str, text: str, memory: Memory, manner: Manner = Manner.SHOWN) -> list[Message]:
    """The messages for a post as far as it is known: what :func:`messages` begins with while the post goes on.

    A trained model finds the turns before as it was asked and wrote them, so that nothing of them has to be evaluated
    again. To others, earlier layers are not repeated: they cost context, and the person need not have seen them.
    """
    data = language_data(language)
    result = preamble(language, manner)
    if memory.summary:
        result.append(Message(role="system", content=data["summary"].format(clauses=memory.summary)))
    for turn in memory.turns:
        whole = manner is Manner.TRAINED and turn.asked
        asked = turn.asked if whole else data["post"].format(text=turn.post)
        result.append(Message(role="user", content=asked))
        result.append(Message(role="assistant", content=turn.written if whole else f"<answer>{turn.answer}</answer>"))
    result.append(Message(role="user", content=data["post"].format(text=text)))
    return _safe(result)


def _safe(result: Sequence[Message]) -> list[Message]:
    """The marks that chat templates are made of must not come from a post."""
    return [Message(role=m["role"], content=m["content"].replace("<|", "< |")) for m in result]
