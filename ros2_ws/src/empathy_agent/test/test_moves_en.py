"""The English bank of moves: enough of everything, nothing that the review stops, and the turns that it tells apart."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest
from empathy_agent.safety import objection
from empathy_agent.turns import KINDS, moves, theme_of, turn_of
from hypothesis import given
from hypothesis import strategies as st

BANK = moves("en")
THEMES = list(BANK["themes"])
CLAUSES = ("he told you that you are too sensitive", "you've been alone since March", "they gave your desk to Priya")

# (fewest of a theme, fewest of "general")
FEWEST = {"beliefs": (5, 5), "validations": (9, 14), "closings": (7, 13)}
FEWEST_TURNS = {
    "thanks": 12,
    "greeting": 8,
    "goodbye": 12,
    "anger_at_agent": 10,
    "short": 14,
    "small_talk": 8,
    "correction_without_clause": 6,
}
FEWEST_FRAMES = {"story": 14, "more": 14, "correction": 8, "good": 8}

TURNS = {
    "goodbye": [
        "Good night.",
        "Okay, I'm off to bed now. Night.",
        "Right, I have to go now.",
        "That's all for tonight.",
        "See you tomorrow then.",
        "I'll come back tomorrow.",
        "Thanks, bye!",
        "Take care.",
        "I should get going, my train is here.",
        "Let's leave it there for today.",
        "I'll try to sleep now.",
        "Talk to you later",
    ],
    "story": [
        "We had a good night out and then she left without a word.",
        "I have to go to work with him every day and smile.",
        "She never said goodbye to any of us at the hospital.",
        "I take care of my mother all day and nobody asks me.",
        "I never got to thank my grandmother for the summers there.",
        "He said you're useless and threw the keys at the wall.",
        "My boss told me to stop crying in front of the clients.",
        "I said no to the job and now I regret it every morning.",
        "I didn't mean to hurt her and she won't pick up.",
        "I passed out in the shop and nobody helped me.",
        "I should be happy about the promotion and I feel nothing.",
        "My flatmate plays games until three every night.",
        "Can I ask you something a bit embarrassing? I have just started learning to swim.",
    ],
    "question": [
        "He left. Who does that?",
        "I asked him to be quiet twice and he called me too sensitive. Is that really too much to ask?",
        "So first thing tomorrow: the library or the garage?",
        "And mum, before or after?",
        "Eight months is too quick though?",
    ],
    "thanks": [
        "Thank you for listening.",
        "Okay. Thank you.",
        "That really helped, I feel lighter.",
        "You've been so kind.",
        "I needed to hear that.",
        "Thanks, I'll try that tomorrow.",
        "I'm glad I told you.",
        "Finishing something he started. Okay. Thank you.",
    ],
    "anger_at_agent": [
        "Thanks for nothing.",
        "You don't listen at all.",
        "Useless robot.",
        "Stop telling me to breathe.",
        "You keep saying the same thing.",
        "That's such a generic answer.",
        "Did you even read what I wrote?",
        "You make it sound so easy. You've never failed anything in your life, have you?",
        "You sound like a greeting card.",
        "Is that all you can say?",
        "You have no idea.",
        "Easy for you to say",
    ],
    "correction": [
        "No no, I'm not sad about the divorce any more, that's not what I meant. I'm proud!",
        "No, that's not what I meant. It was my brother who left.",
        "You got that wrong, she is my boss.",
        "No, I meant my sister.",
        "It was my aunt, not my mother.",
        "That's not it. I'm not sad, I'm angry.",
        "You misunderstood me, I wanted to stay.",
        "I said he left me, not that I left him.",
        "Not my dad, my stepdad.",
        "No, she's not my girlfriend, she's my flatmate.",
        "I didn't say that I hate her.",
        "Wrong way round, he dumped me.",
    ],
    "greeting": [
        "Hello",
        "Hey, is this thing on?",
        "Hi there, how are you?",
        "Good morning!",
        "Hello, can we talk?",
    ],
    "good_news": [
        "I got the job!",
        "I passed my exam, I can't believe it.",
        "Good news: the scan was clear.",
        "She said yes!",
        "I'm so proud of myself, I finally told him.",
        "We're getting married in June.",
    ],
    "small_talk": [
        "It's raining again today.",
        "What are you doing?",
        "I had pizza for dinner.",
    ],
    "short": [
        "I guess",
        "Hm.",
        "I don't know.",
    ],
}
QUESTIONS = {
    "reply": [
        "What do I even say to that?",
        "And what do I tell him when he asks again?",
        "If my aunt starts on about my weight, how do I answer?",
    ],
    "tell": [
        "Thank you. But how do I tell her?",
        "What should I say to my mum tonight?",
        "Yeah, exactly that. So what do I say to HR on Monday before they say it for me?",
        "I don't know how to tell my parents.",
        "got my results back and my mum's going to go mad, how do i tell her",
    ],
    "greet": [
        "Next week is the wedding, how do I greet them?",
        "I'm going, I won't hide. What do I actually say when the two of them walk up to me?",
    ],
    "decide": [
        "do i come clean or what",
        "On the shelf, I can't open it. Do I put the hinges on, or is that morbid?",
        "Should I call him?",
        "Should I stay or should I go?",
        "Is it better to leave now or wait until summer?",
    ],
    "refuse": [
        "How do I say no to her without a fight?",
        "How can I get him to stop reading my messages?",
    ],
    "apologise": [
        "How do I apologise to my daughter?",
        "Can I ever make it up to her?",
    ],
    "normal": [
        "Is it normal to cry every day?",
        "Am I too sensitive?",
        "Am I overreacting?",
        "Is it weird that I still wear his jumper?",
        "What's wrong with me?",
    ],
    "fault": [
        "Is it my fault?",
        "Did I do something wrong?",
        "Could I have done more?",
    ],
    "sleep": [
        "How can I fall asleep tonight?",
        "What can I do to calm down?",
    ],
    "thoughts": [
        "How do I stop thinking about her?",
        "How do I get over this?",
        "How do people let go of someone?",
    ],
    "cope": [
        "What do I do now?",
        "How am I supposed to go on?",
        "Any ideas?",
    ],
    "why_other": [
        "Why does he do that?",
        "Why did she lie to me?",
    ],
    "why_self": [
        "Why am I like this?",
        "Why can't I just be happy?",
    ],
    "future": [
        "Will it ever get better?",
        "Will he come back?",
        "How long does this last?",
    ],
    "help": [
        "How can I help my friend?",
        "What can I do for my dad, he lost his job?",
    ],
    "opinion": [
        "What do you think?",
        "What would you do?",
    ],
    "memory": ["Will you remember me tomorrow?", "Is this private?", "Do you remember what I told you?"],
    "joke": ["Tell me a joke", "I'm bored, make me laugh", "Five hours at the gate. Entertain me."],
    "riddle": ["Knock knock", "Here's a riddle for you", "Guess what I had for lunch"],
    "self_of_agent": [
        "Are you human?",
        "Do you have feelings?",
        "Who are you?",
    ],
    "outside": [
        "What's the weather like tomorrow?",
        "Is it legal to record my boss?",
        "Do I have depression?",
        "What are the symptoms of a stroke?",
    ],
}

NAMED = {
    "hurt": "It rained all week and I cried on the bus.",
    "loss": "My grandmother passed away on Tuesday.",
    "betrayal": "He has been seeing Jess since March, behind my back.",
    "breakup": "Tom ended it on Sunday after five years.",
    "illness": "I was diagnosed in May and I'm so tired.",
    "caring": "Mum was told two months ago that she has lung cancer.",
    "work": "My boss shouted at me in front of the clients.",
    "study": "My exams start on Monday and I can't concentrate.",
    "family": "My sister and I have not spoken since the inheritance.",
    "friends": "They have a group chat without me.",
    "loneliness": "I eat alone every night.",
    "money": "I can't pay the rent this month.",
    "identity": "I came out to her in May.",
    "guilt": "I shouted at her the last time we spoke and I am ashamed.",
    "anger": "I am so furious, it is unfair.",
    "worry": "I lie awake with my heart racing.",
    "general": "On Saturday I sat on the stairs.",
}


def spoken() -> Iterator[str]:
    """What can become part of a chain, each belief as it is said."""

    def sentences(value: object) -> Iterator[str]:
        if isinstance(value, str):
            yield value
        else:
            assert isinstance(value, (dict, list))
            for child in value.values() if isinstance(value, dict) else value:
                yield from sentences(child)

    for name in ("frames", "validations", "closings", "answers", "turns"):
        yield from sentences(BANK[name])
    for belief in sentences(BANK["beliefs"]):
        yield f"You may be telling yourself that {belief}."


def test_there_is_enough_of_everything() -> None:
    for name, (particular, general) in FEWEST.items():
        assert list(BANK[name])
        assert set(BANK[name]) == set(THEMES)
        for theme, sentences in BANK[name].items():
            assert len(sentences) >= (general if theme == "general" else particular), (name, theme)
    for name, fewest in FEWEST_FRAMES.items():
        assert len(BANK["frames"][name]) >= fewest
        assert all(frame.count("{clause}") == 1 for frame in BANK["frames"][name])
    for name, fewest in FEWEST_TURNS.items():
        assert len(BANK["turns"][name]) >= fewest
    for parts in BANK["answers"].values():
        assert len(parts["first"]) >= 7
        assert len(parts["then"]) >= 6
    assert {*BANK["question_types"], "request", "whether"} == set(BANK["answers"])  # these have no words
    assert len(BANK["feelings"]) >= 24
    assert len(BANK["good_feelings"]) >= 10


def test_every_sentence_is_said_once_ends_and_holds_no_digit() -> None:
    counts = Counter(spoken())
    assert not [text for text, number in counts.items() if number > 1]
    assert not [text for text in counts if not re.search(r"[.!?}]”?$", text) or re.search(r"\d", text)]


def test_the_review_stops_none() -> None:
    texts = [text.replace("{clause}", clause) for text in spoken() for clause in CLAUSES]
    assert not {text: found for text in dict.fromkeys(texts) if (found := objection(text, "en"))}


def test_a_goodbye_asks_nothing_and_a_closing_asks() -> None:
    assert not [text for text in BANK["turns"]["goodbye"] if "?" in text]
    assert all(text.endswith("?") for sentences in BANK["closings"].values() for text in sentences)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in TURNS.items() for text in texts])
def test_kinds_of_turn(kind: str, text: str) -> None:
    assert turn_of(text, "en").kind == kind


@pytest.mark.parametrize(("question", "text"), [(name, text) for name, texts in QUESTIONS.items() for text in texts])
def test_types_of_question(question: str, text: str) -> None:
    turn = turn_of(text, "en")
    assert (turn.kind, turn.question) == ("question", question)


@pytest.mark.parametrize("theme", THEMES)
def test_themes(theme: str) -> None:
    assert theme_of([NAMED[theme]] * 2, "en") == theme


def test_what_is_denied_and_what_only_sounds_so_is_no_theme() -> None:
    assert theme_of(["I'm not sad about it."], "en") == "general"
    assert theme_of(["The car's transmission died."], "en") == "general"
    assert theme_of(["We told my son that our dog died, and my son put his bowl out."], "en") == "loss"


def test_a_word_inside_another_names_no_theme() -> None:
    assert (
        theme_of(["That is a unique example of ill-made transport, and fatter saturated paint, truly."], "en")
        == "general"
    )


@pytest.mark.parametrize(
    "piece", ["i said no ", "how do i ", "thank you, ", "you don't ", "so ok well, ", "why is it "]
)
def test_long_texts_take_no_time(piece: str) -> None:
    begin = time.process_time()
    turn_of(piece * 5_000, "en")
    assert time.process_time() - begin < 2


@given(st.lists(st.sampled_from(["how do i", "tell him", "thank you", "no,", "?", "i got", "bye", "but", "."])))
def test_pieces_of_messages_are_some_turn(pieces: list[str]) -> None:
    turn = turn_of(" ".join(pieces), "en")
    assert turn.kind in KINDS
    assert turn.question in ("", *BANK["answers"])
