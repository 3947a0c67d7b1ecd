"""One at a time: what one command writes, another would read half-written.

Runs under any Python, as `setup_env.py` does.
"""

from __future__ import print_function

import contextlib
import io
import os
import time

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

PATH = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "_build", "mutex")


@contextlib.contextmanager
def held(work):
    """Wait until no other process is in such a block, and say for what.

    The system gives the lock back when its holder ends, however that one ends. Programs that the block starts with
    `close_fds=False` hold it too: one that outlives its killed parent still writes.
    """
    os.makedirs(os.path.dirname(PATH), exist_ok=True)
    with io.open(PATH, "a+b", buffering=0) as file:
        said = False
        while not taken(file):
            if not said:
                file.seek(0)
                print("Waiting for {0}".format(file.read().decode("utf-8")), flush=True)
                said = True
            time.sleep(0.2)
        file.truncate(0)
        file.write("{0}, which runs in this folder (process {1})".format(work, os.getpid()).encode("utf-8"))
        os.set_inheritable(file.fileno(), True)
        yield


def taken(file):
    """Try to lock the open `file`."""
    try:
        if fcntl:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            # Nobody can read a byte that is locked there: take one far behind the text.
            file.seek(1000000)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
    except (BlockingIOError, PermissionError):
        return False
    return True
