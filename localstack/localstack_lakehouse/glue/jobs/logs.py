"""A job's output in CloudWatch Logs, as it grows."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

#: What CloudWatch Logs takes at once.
EVENTS = 10_000
PIECE = 2**18


class LogStream:
    """A log stream that follows a file."""

    def __init__(self, logs: Any, group: str, stream: str, file: Path) -> None:
        self._logs = logs
        self._name = {"logGroupName": group, "logStreamName": stream}
        self._file = file.open("rb")
        self._rest = b""
        with suppress(ClientError):
            logs.create_log_group(logGroupName=group)
        with suppress(ClientError):
            logs.create_log_stream(**self._name)

    def follow(self) -> None:
        """Send the lines that are new and whole."""
        while piece := self._file.read(PIECE):
            *lines, self._rest = (self._rest + piece).split(b"\n")
            self._send(lines)

    def close(self) -> None:
        """Send what is left."""
        self.follow()
        self._send([self._rest])
        self._file.close()

    def _send(self, lines: list[bytes]) -> None:
        now = int(time.time() * 1000)
        events = [{"timestamp": now, "message": line.decode(errors="replace")} for line in lines if line.strip()]
        for start in range(0, len(events), EVENTS):
            # A job goes on when somebody deletes its log.
            with suppress(ClientError):
                self._logs.put_log_events(**self._name, logEvents=events[start : start + EVENTS])
