"""Hides TensorFlow's messages about this machine's hardware, which would break a progress bar."""

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import Final

_LEVEL: Final = "TF_CPP_MIN_LOG_LEVEL"
_STDERR: Final = 2
# Notices and warnings, and the error that there is no GPU.
_MESSAGE: Final = re.compile(rb"WARNING: All log messages before absl::|[IW]\d{4} |E\d{4} .*\bcuInit\b")


@contextmanager
def quiet_tensorflow() -> Iterator[None]:
    """Hide the messages that TensorFlow writes during this block as it is imported and looks for GPUs.

    TensorFlow writes most of them before it reads TF_CPP_MIN_LOG_LEVEL, so standard error is captured and filtered.
    Everything else, such as errors, is printed at the end of the block. Nothing is hidden if TF_CPP_MIN_LOG_LEVEL is
    set.
    """
    if _LEVEL in os.environ:
        yield
        return
    os.environ[_LEVEL] = "2"
    with TemporaryFile() as held:
        sys.stderr.flush()
        original = os.dup(_STDERR)
        os.dup2(held.fileno(), _STDERR)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, _STDERR)
            os.close(original)
            held.seek(0)
            for line in held:
                if not _MESSAGE.match(line):
                    os.write(_STDERR, line)
