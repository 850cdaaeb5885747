"""The simulated people of the learning loop, with a bot: everybody writes, judges and votes at the same time."""

from pathlib import Path

import pandas as pd
from bot_process import BotHome, running_bot
from playground_process import running_playground

from benchmarks.learning.meanwhile import asking, first_answer, more_answers, summed_up
from benchmarks.learning.people import Person, Truth, Votes, together
from storage import model_registry
from storage.usable import State, judged

SENTENCES = [
    ("A warm and funny evening that I would gladly see again.", 1),
    ("The plot makes no sense and the jokes fall flat.", 0),
    ("Beautifully shot, with a cast that shines in each scene.", 1),
    ("Two hours of boredom, and the ending is worse than the rest.", 0),
    ("A clever script that respects its audience.", 1),
    ("Loud, silly and far too long for so little a story.", 0),
    ("The kind of film that makes you call your mother afterwards.", 1),
    ("I have seen better acting in a school play.", 0),
]


def test_people_who_label_at_once_give_each_text_the_votes_that_it_lacks_and_no_more(tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    truth = Truth.of([pd.DataFrame(SENTENCES, columns=["text", "label"])], mistaken=0.0)
    texts = [text for text, _ in SENTENCES]
    with running_playground(tmp_path / "playground") as client, running_bot(home, client, ADMIN_IDS="1"):
        people = [Person(client, number, truth) for number in range(101, 105)]
        for person in people:
            person.consent()
        votes = together(people, lambda place, person: sum(map(person.write, texts[place::4]), Votes()))
        votes += together(people, lambda _, person: person.label())
        assert (votes.read, votes.refused, votes.own, votes.mistaken) == (8, 0, 8, 0)
        assert votes.others == 8
        database = home.database()
        with database.reading() as unit:
            found = list(judged(unit, 2, frozenset({1})))
            true = {unit.cipher.fingerprint(text): ("Negative", "Positive")[label] for text, label in SENTENCES}
        database.close()
    assert [len(text.votes) for text in found] == [2] * 8
    assert [text.standing.state for text in found] == [State.USABLE] * 8
    assert {text.text_hash: text.standing.label for text in found} == true


def test_those_who_ask_hear_which_model_answers(tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    texts = [f"{text} I was there on day {day}." for day in range(20) for text, _ in SENTENCES]
    with running_playground(tmp_path / "playground") as client, running_bot(home, client):
        database = home.database()
        with database.reading() as unit:
            live = model_registry.live(unit)
        database.close()
        assert live is not None
        with asking(client, range(201, 203), texts) as askers:
            first = first_answer(askers, live.version)
            more_answers(askers, 4)
        seen = summed_up(askers, live.version, first)
        stale = summed_up(askers, "another", first)
    assert seen.answered == seen.sentences >= 5
    assert (seen.late, seen.doubled, seen.stale) == (0, 0, 0)
    assert seen.versions == {live.version: seen.answered}
    assert stale.stale > 0
