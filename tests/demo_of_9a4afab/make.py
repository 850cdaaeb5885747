"""Makes the demo folder that tests/e2e/test_older_demo.py opens. It was run once, with the code of commit 9a4afab.

    git clone . /srv/thumbs && cd /srv/thumbs && git checkout 9a4afab
    make lint                                        # makes .venv-dev
    PYTHONPATH=.:tests .venv-dev/bin/python make.py var demo.tar.gz

The folder contains a live model that a run promoted, a candidate that was held, an open run, consent and votes. It
also contains taps on that commit's buttons. Its bot has not received them yet, so they are still in the playground's
list of updates.
"""

import sys
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot_process import BotHome, running_bot
from playground_process import running_playground
from small_model import RECIPE, carry_out, write_reviews

from benchmarks.chaos.network import CONFIG
from ml.artifact import MANIFEST, Manifest, manifest_hash
from playground.client import PlaygroundClient
from storage import model_registry, training_runs
from storage.artifact_store import ArtifactStore
from storage.database import Database
from storage.training_runs import Progress, RunState
from worker.card import draw
from worker.gate import Bounds, decide
from worker.protocol import Measured, Paired

ADA, BEN = 1, 2
# The demo makes a new secret at each start, but the bot's id, before the colon, stays the same.
TOKEN = "1000001:playground-token-of-the-older-demo"
SMALL = replace(
    CONFIG, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, max_position_embeddings=64
)
MEASURED = Measured(
    imdb=None,
    judgements=Paired(20, 12, 15, 1, 4, -0.1),
    behaviour={"negation": Paired(43, 40, 41, 0, 1, 0.0)},
    slices={},
    trigger_words=(),
)
HELD = decide(MEASURED, Bounds(0.003, 0.95, 0.02, 0.01, auto_promote=True))
GOOD = "The best evening we have had in months. Warm, witty and wonderfully played."
BAD = "A bore from the first page to the last, cold and clumsy."


def small_model(folder: Path) -> Path:
    """Fine-tune a very small BERT on the sentences in tests/small_model.py."""
    from keras.utils import set_random_seed

    from ml.base_model import DEFAULT, BaseModel, find_base_model
    from ml.checkpoint import write_checkpoint
    from ml.data import read_reviews
    from ml.fine_tuning import Order
    from ml.network import build_network
    from ml.tokens import TextReader
    from ml.training_data import TrainingData

    reviews = write_reviews(folder / "reviews.csv")
    reader = TextReader.read(find_base_model(DEFAULT).folder, RECIPE.window, RECIPE.overlap)
    set_random_seed(RECIPE.seed)
    write_checkpoint(folder / "encoder", build_network(SMALL), SMALL, reader)
    lesson = TrainingData.choose(read_reviews(reviews), reviews, RECIPE, None).lesson()
    carry_out(Order(BaseModel("random weights", folder / "encoder"), lesson, RECIPE, folder / "model"))
    return folder / "model"


def publish(home: BotHome, folder: Path, version: str, run_id: int) -> None:
    """Copy the model into the store under this version, and register it."""
    work = home.settings.data_dir / "copy"
    work.mkdir()
    for path in folder.iterdir():
        if path.name != MANIFEST:
            (work / path.name).write_bytes(path.read_bytes())
    replace(Manifest.read(folder), version=version).write(work)
    location = ArtifactStore.open(home.settings.store_address).put(work, version)
    database = home.database()
    with database.unit_of_work() as unit:
        model_registry.register(unit, version, manifest_hash(work), location, run_id)
    database.close()
    for path in work.iterdir():
        path.unlink()
    work.rmdir()


def from_bot(chat: dict[str, Any]) -> list[dict[str, Any]]:
    return [message for message in chat["messages"] if message["from_bot"]]


def wait_for(client: PlaygroundClient, person: int, text: str) -> dict[str, Any]:
    """Wait until the bot's newest message to the person contains this text, and return the message."""

    def shown(message: dict[str, Any]) -> str:
        return str(message.get("text") or message.get("caption") or "")

    chat = client.wait_for_chat(lambda chat: any(text in shown(one) for one in from_bot(chat)), chat_id=person)
    return [message for message in from_bot(chat) if text in shown(message)][-1]


def claimed(database: Database) -> training_runs.Lease:
    with database.unit_of_work() as unit:
        run, live = training_runs.open_run(unit), model_registry.live(unit)
        lease = training_runs.claim(unit, run.id, "worker-1")
        training_runs.note_snapshot(unit, lease, live.version)
        training_runs.report(unit, lease, Progress(40, 40, 4, 18.4))
    return lease


def live_through(home: BotHome, folder: Path, client: PlaygroundClient) -> dict[str, int]:
    """Chat, vote, consent and decide. Return the messages with buttons that are tapped later."""
    database = home.database()
    client.message("/start", user_id=BEN)
    wait_for(client, BEN, "Hello")
    client.message("/start", user_id=ADA)
    wait_for(client, ADA, "Hello")
    client.message(GOOD, user_id=BEN)
    first = wait_for(client, BEN, "Positive")
    client.tap(first["message_id"], "✅ Right", user_id=BEN)
    consent = wait_for(client, BEN, "learn")
    client.tap(consent["message_id"], "Yes, learn from me", user_id=BEN)
    # The first run promotes the small model.
    client.message("/retrain", user_id=ADA)
    wait_for(client, ADA, "Waiting for a worker")
    lease = claimed(database)
    publish(home, folder, "small-one", lease.run.id)
    with database.unit_of_work() as unit:
        decision = {**HELD.record(), "outcome": "promoted", "sentence": "Promoted: better on feedback, 60 % to 75 %."}
        model_registry.make_live(unit, "small-one", decision["sentence"])
        training_runs.end(unit, lease, RunState.PROMOTED, candidate="small-one", decision=decision)
    wait_for(client, ADA, "Promoted")
    # The second run is held, with a card that has a button.
    client.message("/retrain", user_id=ADA)
    wait_for(client, ADA, "Waiting for a worker")
    lease = claimed(database)
    publish(home, folder, "small-two", lease.run.id)
    with database.unit_of_work() as unit:
        card = draw(HELD, MEASURED)
        training_runs.end(unit, lease, RunState.HELD, candidate="small-two", decision=HELD.record(), card=card)
    held = wait_for(client, ADA, "small-two")
    # The small model is in use by now.
    client.message(BAD, user_id=BEN)
    second = wait_for(client, BEN, "small-one")
    # The third run waits for a worker.
    client.message("/retrain", user_id=ADA)
    followed = wait_for(client, ADA, "Waiting for a worker")
    client.message("/models", user_id=ADA)
    models = wait_for(client, ADA, "Latest changes")
    database.close()
    return {
        "first": first["message_id"],
        "second": second["message_id"],
        "consent": consent["message_id"],
        "held": held["message_id"],
        "followed": followed["message_id"],
        "models": models["message_id"],
    }


def main(data_dir: Path, archive: Path) -> None:
    home = BotHome.make(data_dir)
    with running_playground(data_dir, TOKEN) as client:
        folder = data_dir.parent / "small"
        folder.mkdir()
        model = small_model(folder)
        with running_bot(home, client, ADMIN_IDS=str(ADA)):
            there = live_through(home, model, client)
        # The bot has been stopped, but people go on tapping its buttons, and one of them writes.
        client.tap(there["first"], "❌ Wrong", user_id=BEN)
        client.tap(there["second"], "✅ Right", user_id=BEN)
        client.tap(there["held"], "Promote", user_id=ADA)
        client.tap(there["followed"], "Cancel", user_id=ADA)
        client.tap(there["models"], "Promote small-two", user_id=ADA)
        client.message(GOOD.replace("months", "years"), user_id=BEN)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(data_dir, "var")
    print(there)  # noqa: T201 - the ids that the test taps


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
