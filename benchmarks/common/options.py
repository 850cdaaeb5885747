"""Adds command-line options that several benchmarks share."""

from argparse import ArgumentParser
from pathlib import Path

from benchmarks.common.results import RESULTS


def add_imdb_option(parser: ArgumentParser) -> None:
    """Add ``--data``, the file with the IMDB reviews."""
    parser.add_argument("--data", type=Path, required=True, help="IMDB reviews with the official split: parquet")


def add_sentences_option(parser: ArgumentParser) -> None:
    """Add ``--sentences``, a file with labelled sentences from a domain other than IMDB."""
    parser.add_argument("--sentences", type=Path, required=True, help="labelled sentences from another domain: CSV")


def add_out_option(parser: ArgumentParser, name: str) -> None:
    """Add ``--out``, the results file. The default is the committed file called ``name``."""
    parser.add_argument("--out", type=Path, default=RESULTS / f"{name}.json", help="results file")
