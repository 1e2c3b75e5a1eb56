"""What an engine is asked."""

from __future__ import annotations

from empathy_agent.engines.openai_server import OpenAIServer
from empathy_agent.request import REPLY_TOKENS, prefix, request, tokens
from empathy_agent.session import SUMMARY_CHARACTERS, Exchange, Memory
from hypothesis import given
from hypothesis import strategies as st


def engine(**options: object) -> OpenAIServer:
    return OpenAIServer("http://127.0.0.1:1", "m", **options)  # type: ignore[arg-type]


def test_what_does_not_fit_the_context_is_the_oldest() -> None:
    memory = Memory([Exchange(f"turn {turn} " + "really " * 500, "yes") for turn in range(8)])
    prompt, _ = request(engine(context=8192), "en", "the post", memory=memory)
    text = str(prompt)
    assert "turn 7" in text
    assert "turn 0" not in text
    assert tokens(prompt) + REPLY_TOKENS <= 8192


class Chooser(OpenAIServer):
    scaffold = True


def chooser() -> Chooser:
    return Chooser("http://127.0.0.1:1", "m", supports_grammar=True)


def test_a_model_writes_or_chooses_as_it_can() -> None:
    post = "My cat died. I miss her so."
    free = request(engine(supports_grammar=True), "en", post)[1]
    assert "sentence ::=" in free.grammar
    assert free.places == ()
    held = request(chooser(), "en", post)[1]
    assert held.grammar == ""
    assert any("your cat died" in text for place in held.places for text in place)
    assert request(engine(), "en", post)[1].grammar == ""


def test_what_the_agent_said_is_not_offered_again() -> None:
    memory = Memory([Exchange("I am sad.", "Tell me more.")])
    first = request(chooser(), "en", "Thank you.", memory=memory)[1].places
    answer = first[first.index(("<answer>",)) + 1][0]
    said = {"".join(filter(str.isalnum, sentence.casefold())) for sentence in answer.split(". ")}
    again = request(chooser(), "en", "Thank you.", memory=Memory(memory.turns, said=said))[1].places
    assert not any(answer in place for place in again)


def test_a_seed_is_kept() -> None:
    assert request(engine(), "en", "hello there", seed=7)[1].seed == 7


@given(
    st.sampled_from(["zh", "en"]),
    st.lists(st.integers(1, 4000), max_size=9),
    st.integers(0, SUMMARY_CHARACTERS),
    st.integers(0, 300),
    st.integers(0, 150),
    st.sampled_from(["", "the face looked sad most of the last 10 s"]),
    st.sampled_from([3000, 4096, 8192]),
)
def test_a_prefix_fits_and_is_what_the_prompt_begins_with(
    language: str, turns: list[int], summary: int, known: int, more: int, affect: str, context: int
) -> None:
    letter = {"zh": "难", "en": "a"}[language]
    memory = Memory([Exchange(letter * length, "yes") for length in turns], letter * summary)
    one = engine(context=context)
    begin = prefix(one, language, letter * known, memory)
    whole, _ = request(one, language, letter * (known + more), memory=memory, affect=affect)
    assert whole[: len(begin) - 1] == begin[:-1]
    assert whole[-1]["content"].startswith(begin[-1]["content"])
    assert tokens(whole) + REPLY_TOKENS <= context


def test_a_long_post_leaves_out_the_summary_last() -> None:
    memory = Memory([Exchange("难" * 300, "嗯")], "难" * SUMMARY_CHARACTERS)
    one = engine(context=8192)
    assert "难" * SUMMARY_CHARACTERS in str(request(one, "zh", "累" * 1000, memory=memory)[0])
    prompt, _ = request(one, "zh", "累" * 5600, memory=memory)
    assert "难难" not in str(prompt)
    assert tokens(prompt) + REPLY_TOKENS <= 8192
