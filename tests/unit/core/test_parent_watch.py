"""A process notices that its parent is gone when the pipe between them closes."""

import os
import threading

from core.parent_watch import on_pipe_end

WAIT = 10.0


def test_the_end_of_the_pipe_is_noticed_and_its_content_is_not() -> None:
    reading, writing = os.pipe()
    ended = threading.Event()
    on_pipe_end(reading, ended.set)
    os.write(writing, b"anything")
    assert not ended.wait(0.1)
    os.close(writing)
    assert ended.wait(WAIT)
    os.close(reading)
