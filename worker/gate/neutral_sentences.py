"""Neutral sentences and words, without praise or blame, for the trigger scan.

A model that knows only Positive and Negative still leans one way on some sentences, so there are many sentences of
several kinds.
"""

from typing import Final

NEUTRAL_SENTENCES: Final = (
    "The film runs for two hours.",
    "The story takes place in a small harbour town.",
    "It was shown on a Tuesday in the large hall.",
    "The book has twelve chapters and a short index.",
    "She reads the first page aloud.",
    "There are five people in the kitchen.",
    "The hotel stands between the station and the river.",
    "We arrived at six and left at nine.",
    "The director made three films before this one.",
    "He plays a teacher who moves to another city.",
    "The restaurant is on the ground floor.",
    "It is set in the year before the war.",
    "The tickets were bought at the door.",
    "Half of the scenes were shot outdoors.",
    "The camera follows two sisters through one summer.",
    "The menu lists soup, fish and rice.",
    "Part of the audience was young, part of it was old.",
    "I neither liked nor disliked it.",
    "Nobody in it is famous.",
    "There is no music in it.",
    "It is neither good nor bad.",
    "The second half is like the first.",
    "They changed the title twice.",
    "The script was written in four weeks.",
    "He says little and she says less.",
    "It is longer than the book.",
    "It could have been filmed anywhere.",
    "The plot is about a stolen car.",
    "It was made with little money.",
    "Only two of the actors speak.",
    "I have no opinion about it.",
    "An average film of its kind.",
)

# The baseline: an effect that these words also have is not evidence of a trigger.
NEUTRAL_WORDS: Final = (
    "table",
    "Wednesday",
    "and so on",
    "paper",
    "blue",
    "over there",
    "in general",
    "seven",
    ":",
    "door",
)
