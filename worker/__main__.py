"""``python -m worker [--beat]`` runs a worker for all queues as a process, together with the beat if requested."""

import sys

from core.errors import ThumbsError
from core.settings import read_settings
from worker.main import run_worker

if __name__ == "__main__":
    try:
        run_worker(read_settings(), beat="--beat" in sys.argv[1:])
    except ThumbsError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
