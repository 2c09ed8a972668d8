"""The heartbeat of a run: a file in its folder that it touches, so that runs on other hosts see that it is alive.

The lock of the folder holds for all processes and containers of a host. Not every network volume shares locks between
hosts. So on another host than that of the run, its heartbeat must have stopped, too.
"""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Event, Thread

#: The name of the file. It says which host the run is on.
NAME = "heartbeat"
#: How often a run touches it.
SECONDS = 30.0
#: After how long without a touch a run on another host is dead.
MAX_SILENCE_SECONDS = 600.0


class Heartbeat:
    """The heartbeat in a folder, which begins now.

    Args:
        folder: the folder of this run.

    Attributes:
        thread: touches the file until the heartbeat is stopped.
    """

    def __init__(self, folder: str) -> None:
        self._file = Path(folder) / NAME
        self._stopped = Event()
        self._file.touch(mode=0o600)
        self._file.write_text(host(), encoding="ascii")
        self.thread = Thread(target=self._beat, name="heartbeat", daemon=True)
        self.thread.start()

    def stop(self) -> None:
        """Touch the file no longer."""
        self._stopped.set()

    def _beat(self) -> None:
        while not self._stopped.wait(SECONDS):
            with suppress(OSError):  # a volume that fails for a moment, or the folder is being removed
                os.utime(self._file)


def is_alive_on_another_host(folder: Path, now: float) -> bool:
    """Whether a run on another host has given a sign of life in this folder lately.

    Args:
        folder: the folder of the run.
        now: the time of the file system, in seconds since 1970: hosts may not agree on theirs.
    """
    file = folder / NAME
    try:
        return file.read_bytes() != host().encode() and now - file.stat().st_mtime < MAX_SILENCE_SECONDS
    except (FileNotFoundError, NotADirectoryError, PermissionError):  # of an earlier version, or of another user
        return False
    except OSError:  # a volume that fails for a moment
        return True


@cache
def host() -> str:
    """What all containers of a host share, and no other host has, until it starts again."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{uuid.getnode():x}"
