"""The learning loop's simulated people vote, and a new model goes live and answers them.

The bot and the worker are real. The trainer copies a model and reports that the copy is better.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
from bot_process import BotHome, running_bot
from playground_process import running_playground
from worker_process import ROOT, WorkerHome, running_worker

from benchmarks.learning.admin import quarantine_summary, retrain
from benchmarks.learning.background_load import background_people, summarise, wait_for_first_reply, wait_for_replies
from benchmarks.learning.people import SimulatedPerson, TrueLabels, VoteCounts, in_parallel
from benchmarks.learning.records import ConsensusCounts, DemoRecords, labels_by_text
from migrations.runner import upgrade
from playground.client import PlaygroundClient
from storage.db.encryption import make_key_file
from storage.feedback.consensus import ConsensusState
from storage.feedback.eligibility import voted_texts
from storage.models import registry

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
TABLE = pd.DataFrame(SENTENCES, columns=["text", "label"])
TEXTS = TABLE["text"].tolist()
# The texts that people send while others vote.
ASKED = [f"{text} I was there on day {day}." for day in range(20) for text in TEXTS]


def vote_on_everything(client: PlaygroundClient) -> VoteCounts:
    """Have four people consent, write the sentences, and vote on all of them at the same time."""
    truth = TrueLabels.from_tables([TABLE], mistaken=0.0)
    people = [SimulatedPerson(client, number, truth) for number in range(101, 105)]
    for person in people:
        person.consent()
    written = in_parallel(people, lambda place, person: sum(map(person.write, TEXTS[place::4]), VoteCounts()))
    return written + in_parallel(people, lambda _, person: person.label())


def test_concurrent_labellers_give_each_text_exactly_the_votes_it_needs(tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    with running_playground(tmp_path / "playground") as client, running_bot(home, client, ADMIN_IDS="1"):
        votes = vote_on_everything(client)
        assert (votes.read, votes.refused, votes.own, votes.mistaken) == (8, 0, 8, 0)
        assert votes.others == 8
        database = home.database()
        with database.reading() as unit:
            found = list(voted_texts(unit, 2, frozenset({1})))
            true = {unit.cipher.fingerprint(text): label for text, label in labels_by_text(TABLE).items()}
        database.close()
    assert [len(text.votes) for text in found] == [2] * 8
    assert [text.consensus.state for text in found] == [ConsensusState.USABLE] * 8
    assert {text.text_hash: text.consensus.label for text in found} == true


def test_background_people_see_which_model_answers(tmp_path: Path) -> None:
    home = BotHome.make(tmp_path / "var")
    with running_playground(tmp_path / "playground") as client, running_bot(home, client):
        database = home.database()
        with database.reading() as unit:
            live = registry.live_model(unit)
        database.close()
        assert live is not None
        with background_people(client, range(201, 203), ASKED) as askers:
            first = wait_for_first_reply(askers, live.version)
            wait_for_replies(askers, 4)
        seen = summarise(askers, live.version, first)
        stale = summarise(askers, "another", first)
    assert seen.answered == seen.sentences >= 5
    assert (seen.late, seen.doubled, seen.stale) == (0, 0, 0)
    assert seen.versions == {live.version: seen.answered}
    assert stale.stale > 0


def test_an_admin_retrains_on_the_votes_and_the_new_model_answers(tmp_path: Path) -> None:
    key_file, starter = tmp_path / "var" / "encryption.key", str(ROOT / "models" / "starter")
    given = {"ADMIN_IDS": "1", "RETRAIN_AFTER": "0", "MODEL": starter, "ANCHOR": starter}
    with (
        WorkerHome.made(tmp_path, ENCRYPTION_KEY_FILE=str(key_file), **given) as home,
        running_playground(tmp_path / "playground") as client,
    ):
        make_key_file(key_file)
        upgrade(home.settings.database_address)
        with running_bot(BotHome(home.settings), client, **given), running_worker(home):
            vote_on_everything(client)
            records = DemoRecords(home.settings.data_dir)
            assert records.consensus_counts(labels_by_text(TABLE)) == ConsensusCounts(
                usable=8, waiting=0, quarantined=0, wrong=0
            )
            assert "no disputed reviews" in quarantine_summary(client)
            with background_people(client, range(201, 203), ASKED) as askers, ThreadPoolExecutor(1) as admin:
                followed = admin.submit(retrain, client)
                home.trainer().order("better")
                card = followed.result()
                run = records.newest_run()
                first = wait_for_first_reply(askers, run.candidate)
                wait_for_replies(askers, 4)
            seen = summarise(askers, run.candidate, first)
            same = records.compare_models(run, TABLE)
    assert same is not None
    assert (same.first, same.second, same.difference) == (run.champion, run.candidate, 0)
    assert card.card.startswith(b"\x89PNG")
    assert run.sentence in card.decision
    assert run.candidate in card.decision
    assert list(card.stage_seconds)[-1] == "card"
    assert (run.state, run.train, run.held_out) == ("promoted", 8, 0)
    assert run.live_at is not None
    assert card.started_at < run.live_at < first
    assert (seen.late, seen.doubled, seen.stale) == (0, 0, 0)
    assert seen.answered == seen.sentences == sum(seen.versions.values())
    assert set(seen.versions) == {run.champion, run.candidate}
    assert seen.versions[run.candidate] >= 4
