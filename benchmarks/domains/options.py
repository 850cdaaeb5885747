"""Adds command-line options that several modules in this package share."""

from argparse import ArgumentParser
from pathlib import Path


def add_data_option(parser: ArgumentParser) -> None:
    """Add ``--data``, the folder with IMDB and the domains' files."""
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("../shared/data"),
        help="folder with imdb.parquet and the files of the four domains",
    )
