"""Trains a small network for a few steps on several logical CPUs, and writes its weights."""

import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from safetensors.numpy import save_file

from ml.bert.config import BertConfig
from ml.bert.network import build_network
from ml.text.tokenization import WindowTokenizer
from ml.training.base_model import DEFAULT_BASE_MODEL, find_base_model
from ml.training.batches import WindowBatches
from ml.training.checkpoint import Checkpoint
from ml.training.devices import use_precision
from ml.training.loop import TrainingCallbacks, train
from ml.training.recipe import Recipe
from ml.training.training_set import TrainingExamples

RECIPE = replace(
    Recipe.load("default"), batch_size=4, epochs=1, window=16, overlap=4, precision="float32", hidden_dropout=0.0
)
CONFIG = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
# The last batch has only one row, so one of the two replicas gets none.
TEXTS = [f"Number {number}: {'a joy' if number % 2 else 'a bore'} to the last page" for number in range(21)]


def main(replicas: int, out: Path) -> None:
    """Train with ``replicas`` copies of the network and write the resulting weights."""
    cpus = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(cpus[0], [tf.config.LogicalDeviceConfiguration()] * replicas)
    strategy = tf.distribute.MirroredStrategy([f"CPU:{number}" for number in range(replicas)])
    keras.utils.set_random_seed(RECIPE.seed)
    tokenizer = WindowTokenizer.read(find_base_model(DEFAULT_BASE_MODEL).folder, RECIPE.window, RECIPE.overlap)
    examples = TrainingExamples.from_labels(TEXTS, [number % 2 for number in range(len(TEXTS))])
    with use_precision(RECIPE.precision), strategy.scope():
        config = replace(CONFIG, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
        network = build_network(config)
        # With replicas, the initial weights are drawn in a different order.
        rng = np.random.default_rng(RECIPE.seed)
        for variable in network.trainable_variables:
            variable.assign(rng.normal(0, 0.05, variable.shape))
        checkpoint = Checkpoint(out.parent / "checkpoint", "plan")
        train(
            network,
            WindowBatches(examples, tokenizer, RECIPE),
            checkpoint,
            False,
            TrainingCallbacks(lambda _: None, lambda: False),
        )
        checkpoint.save(network, 6)
    weights = {str(n): keras.ops.convert_to_numpy(v) for n, v in enumerate(network.trainable_variables)}
    save_file(weights, out)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
