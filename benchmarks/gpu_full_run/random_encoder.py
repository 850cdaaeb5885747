"""Writes an encoder of bert-base-uncased's size with random weights, for measuring time and memory.

    python -m benchmarks.gpu_full_run.random_encoder var/random-bert

The vocabulary is the packaged encoder's, which is the same as bert-base-uncased's.
"""

import argparse
from pathlib import Path
from typing import Final

from ml.bert.config import BertConfig
from ml.text.tokenization import WindowTokenizer
from ml.training.base_model import DEFAULT_BASE_MODEL, find_base_model

_SEED: Final = 42
# Not applied here; ``WindowTokenizer`` needs a window and an overlap.
_WINDOW, _OVERLAP = 512, 0


def write_random_encoder(folder: Path, config: BertConfig | None = None) -> None:
    """Write an encoder with random weights as a Hugging Face folder. The default size is that of bert-base-uncased."""
    # Importing TensorFlow takes seconds, and the other parts of the benchmark do not need it.
    from keras.utils import set_random_seed  # noqa: PLC0415

    from ml.bert.network import build_network  # noqa: PLC0415
    from ml.bert.pretrained import write_checkpoint  # noqa: PLC0415

    config = config or BertConfig()
    tokenizer = WindowTokenizer.read(find_base_model(DEFAULT_BASE_MODEL).folder, _WINDOW, _OVERLAP)
    set_random_seed(_SEED)
    write_checkpoint(folder, build_network(config), config, tokenizer)


def main() -> None:
    """Write the encoder to the folder given on the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu_full_run.random_encoder", description="Write an encoder with random weights."
    )
    parser.add_argument("folder", type=Path, help="folder to write")
    write_random_encoder(parser.parse_args().folder)


if __name__ == "__main__":
    main()
