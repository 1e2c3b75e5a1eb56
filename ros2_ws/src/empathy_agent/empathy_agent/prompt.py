"""Chat messages that ask a model for a chain of empathy (Empathy-R1, arXiv:2509.14851)."""

from __future__ import annotations

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


def preamble(language: str, worked_examples: bool = True) -> list[Message]:
    """The messages every conversation in a language begins with: the instructions and the worked examples.

    They are always the same, so an engine evaluates them once and keeps them cached. A model that was trained on the
    format, as in the paper, needs no examples of it; they stand in for that.
    """
    data = language_data(language)
    result = [Message(role="system", content=data["system"])]
    for example in data["examples"] if worked_examples else ():
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
    *,
    worked_examples: bool = True,
) -> list[Message]:
    """Messages for one post, in an order in which what is known first comes first.

    ``memory`` holds the turns before; ``affect`` says in words what the face showed, empty for no cue; the prompt marks
    it as uncertain. It comes after the post, as does what is said of the kind of turn, so that the prompt can be
    evaluated while the person still speaks. Earlier layers of reasoning are not repeated to the model: they cost
    context and the person need not have seen them.
    """
    data = language_data(language)
    result = begun(language, text, memory, worked_examples=worked_examples)
    cues = [data["affect"].format(summary=affect)] * bool(affect) + [data["turns"][turn.kind]]
    result[-1] = Message(role="user", content="\n".join([result[-1]["content"], *cues]))
    return result


def begun(language: str, text: str, memory: Memory, *, worked_examples: bool = True) -> list[Message]:
    """The messages for a post as far as it is known: what :func:`messages` begins with while the post goes on."""
    data = language_data(language)
    result = preamble(language, worked_examples)
    if memory.summary:
        result.append(Message(role="system", content=data["summary"].format(clauses=memory.summary)))
    for post, answer in memory.turns:
        result.append(Message(role="user", content=data["post"].format(text=post)))
        result.append(Message(role="assistant", content=f"<answer>{answer}</answer>"))
    result.append(Message(role="user", content=data["post"].format(text=text)))
    return _safe(result)


def _safe(result: Sequence[Message]) -> list[Message]:
    """The marks that chat templates are made of must not come from a post."""
    return [Message(role=m["role"], content=m["content"].replace("<|", "< |")) for m in result]
