"""A cry for help is recognised, and figures of speech in reviews are not mistaken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.text.crisis import asks_for_help


@pytest.mark.parametrize(
    "text",
    [
        "I want to die",
        "i want to die.",
        "I wanna die",
        "i just want to kill myself",
        "I'm going to kill myself tonight",
        "I'm suicidal",
        "i feel suicidal",
        "I have been thinking about suicide",
        "I can't go on anymore",
        "I don't want to live anymore",
        "I wish I was dead",
        "i keep cutting myself",
        "I want to end my life",
        "i don't want to be here anymore",
        "I want to hurt myself",
        "I hurt myself again",
        "everyone would be better off without me",
        "I have no reason to live",
        "im gonna kill myself",
        "I’m thinking of ending it all",
        "want to kill myself",
        "Help me, I want to die",
        "I feel like killing myself",
        "I can't stop thinking about suicide",
        "My girlfriend left me. I want to die.",
        "i have suicidal thoughts",
        "I really don't want to be alive",
        "I think about self-harm every day",
        "i dont want to live",
        "I am going to commit suicide",
        "kill myself",
        "I hate my life and I want to die",
        "I've decided to end my life",
        "wish i was dead",
        "I want to die so bad",
        "my parents make me sad and i want to kill myself",
        "I can’t go on.",
        "I am going to end my life",
        "I want to cut myself with a knife",
        "Work was bad today. I think about killing myself.",
    ],
)
def test_a_cry_for_help_is_recognised(text: str) -> None:
    assert asks_for_help(text)
    assert asks_for_help(text.upper())


@pytest.mark.parametrize(
    "text",
    [
        "this film made me want to die of laughter",
        "This movie made me want to kill myself",
        "I'd kill for that recipe",
        "I wanted to die of boredom",
        "I want to die of embarrassment for the actors",
        "I almost died laughing",
        "A film about suicide",
        "The hero wants to kill himself",
        "To die for!",
        "I could die happy after that dessert",
        "I would rather die than watch it again",
        "dying to see it",
        "so bad I want to die",
        "I was dying to leave",
        "I'm dead 😂",
        "That dessert is to die for",
        "kill me now, this is so boring",
        "I cut myself on the edge of this tin",
        "I want to live there",
        "I can't live without this phone",
        "Can't wait to die in this game again",
        "He says he wants to die",
        "I'll die on this hill",
        "I don't want to go on holiday",
        "I can't go on about how good it is",
        "I might die if they cancel it",
        "I don't want to live in a world without this cake",
        "If I have to hear this one more time I'm going to kill myself lol",
        "I'm going to cut myself a slice of this pie",
        "I wanted to kill myself after ten minutes",
        "I'm about to die in level 3",
        "So slow I want to die",
        "This movie is so bad that I want to kill myself",
        "If I die, play this song",
        "I want to die on this hill",
        "She says “I want to die” in the last act",
        "I need to be here more often",
        "I don't want to live near it",
    ],
)
def test_a_figure_of_speech_is_not_a_cry_for_help(text: str) -> None:
    assert not asks_for_help(text)


def test_a_long_review_that_quotes_somebody_is_not_a_cry_for_help() -> None:
    filler = "He walks through the town and meets his brother. " * 25
    assert not asks_for_help(f"{filler} I want to die. {filler}")


@given(
    st.lists(
        st.sampled_from(["i", "i'm", "just", "really", "want", "to", "feel", "like", "die", "dying", "\n"]),
        max_size=200,
    )
)
def test_no_text_takes_long(words: list[str]) -> None:
    asks_for_help(" ".join(words))
