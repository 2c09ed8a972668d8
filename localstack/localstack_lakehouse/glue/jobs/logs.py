"""A job's output in CloudWatch Logs, as it grows."""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from .arguments import Arguments

#: What CloudWatch Logs takes at once.
EVENTS = 10_000
PIECE = 2**18


@dataclass(frozen=True)
class LogGroups:
    """The folder of the groups that a job logs to, and their key."""

    folder: str
    key: str | None

    @classmethod
    def of(cls, definition: Mapping[str, Any], arguments: Arguments, security: Mapping[str, Any] | None) -> "LogGroups":
        """Those of a job under a security configuration, or under none."""
        kind = "python-jobs" if definition["Command"]["Name"] == "pythonshell" else "jobs"
        folder = arguments.get("--custom-logGroup-prefix") or f"/aws-glue/{kind}"
        encryption = security["EncryptionConfiguration"].get("CloudWatchEncryption", {}) if security else {}
        if not security or encryption.get("CloudWatchEncryptionMode") != "SSE-KMS":
            return cls(folder, None)
        role = definition["Role"].rpartition("/")[2]
        return cls(f"{folder}/{security['Name']}-role/{role}", encryption["KmsKeyArn"])


class LogStream:
    """A log stream that follows a file."""

    def __init__(self, logs: Any, groups: LogGroups, kind: str, stream: str, file: Path) -> None:
        group = f"{groups.folder}/{kind}"
        self._logs = logs
        self._name = {"logGroupName": group, "logStreamName": stream}
        self._file = file.open("rb")
        self._rest = b""
        with suppress(ClientError):
            # Glue associates the key afterwards, which LocalStack's logs do not know.
            logs.create_log_group(logGroupName=group, **({"kmsKeyId": groups.key} if groups.key else {}))
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
