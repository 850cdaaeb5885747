"""Generates the marked blocks in docs/benchmarks.md and docs/architecture.md.

    python -m benchmarks.figures          # rewrite both documents
    python -m benchmarks.figures --check  # only check both documents

The exit status of ``--check`` is 1 if a document is out of date.
"""

import argparse
import sys

from benchmarks.figures.documents import DOCUMENTS, with_blocks


def main() -> int:
    """Rewrite or check the documents, and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.figures", description="Generate the marked blocks in docs/."
    )
    parser.add_argument(
        "--check", action="store_true", help="change nothing; exit with status 1 if a document is out of date"
    )
    check = parser.parse_args().check
    for document in DOCUMENTS:
        before = document.read_text(encoding="utf-8")
        after = with_blocks(before)
        if check and before != after:
            print(f"{document.name} is out of date. Run: python -m benchmarks.figures")
            return 1
        document.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
