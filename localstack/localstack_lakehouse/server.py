"""A LocalStack process of our own: its port, its folder, its life."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
from plux.runtime.cache import get_user_cache_dir

LAKEHOUSE = ("athena", "glue", "lakeformation")
HOST = "127.0.0.1"
PATIENCE = 120


class ServerError(Exception):
    """The server could not be started."""


@dataclass(frozen=True)
class Server:
    """Where a server listens and where it keeps everything."""

    port: int
    state: Path

    @property
    def url(self) -> str:
        """Where clients find it."""
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.state / "localstack.log"

    @property
    def _pid(self) -> Path:
        return self.state / "pid"

    def start(self) -> None:
        """Start it, detached, and wait until it is healthy."""
        if self.process() is not None:
            raise ServerError(f"{self.state} is the state folder of a server that is up, on another port or unwell")
        if self._port_is_taken():
            raise ServerError(f"port {self.port} is taken by another program")
        self.state.mkdir(parents=True, exist_ok=True, mode=0o700)
        # A cache of entry points, keyed by times rounded to minutes: it outlives an install that it should notice.
        shutil.rmtree(get_user_cache_dir() / "plux", ignore_errors=True)
        with self.log.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "localstack.runtime.main"],
                cwd=self.state,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._pid.write_text(f"{process.pid} {psutil.Process(process.pid).create_time()}")
        try:
            _wait(lambda: process.poll() is not None or self._has_loaded(), PATIENCE)
        finally:
            if not self.healthy():
                self.stop()
        if not self.healthy():
            raise ServerError(f"LocalStack did not become healthy; its log is {self.log}")

    def stop(self) -> bool:
        """Stop it with every process it started; whether there was one."""
        process = self.process()
        if process is None:
            return False
        alive = [process, *process.children(recursive=True)]
        for order in (psutil.Process.terminate, psutil.Process.kill):
            for each in alive:
                with suppress(psutil.NoSuchProcess):
                    order(each)
            _, alive = psutil.wait_procs(alive, timeout=10)
        self._pid.unlink(missing_ok=True)
        return True

    def process(self) -> psutil.Process | None:
        """The running process, if any."""
        try:
            pid, created = self._pid.read_text().split()
            process = psutil.Process(int(pid))
            same = process.create_time() == float(created) and process.status() != psutil.STATUS_ZOMBIE
        except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
            return None
        return process if same else None

    def services(self) -> dict[str, str]:
        """The state of each service, empty when nobody answers."""
        try:
            with urlopen(f"{self.url}/_localstack/health", timeout=5) as response:  # noqa: S310
                services: dict[str, str] = json.load(response)["services"]
                return services
        except (URLError, OSError, ValueError, KeyError):
            return {}

    def healthy(self) -> bool:
        """Whether our process answers, with every service of the lakehouse loaded."""
        return self.process() is not None and self._states() == {"running"}

    def _has_loaded(self) -> bool:
        return self._states() <= {"running", "error"}

    def _states(self) -> set[str]:
        services = self.services()
        return {services.get(name, "missing") for name in LAKEHOUSE}

    def _port_is_taken(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex((HOST, self.port)) == 0

    def _environment(self) -> dict[str, str]:
        # No credentials, endpoints or settings of the caller's own reach the emulator or its jobs.
        own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return own | {
            "GATEWAY_LISTEN": f"{HOST}:{self.port}",
            # The default server ignores the host and listens on every interface.
            "GATEWAY_SERVER": "hypercorn",
            "LOCALSTACK_HOST": f"localhost:{self.port}",
            "FILESYSTEM_ROOT": str(self.state),
            # In a container LocalStack would ignore that folder, and share one with every other server in it.
            "OVERRIDE_IN_DOCKER": "0",
            "CONFIG_DIR": str(self.state / "config"),
            "DNS_ADDRESS": "0",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DISABLE_EVENTS": "1",
            "EAGER_SERVICE_LOADING": "1",
            "STRICT_SERVICE_LOADING": "0",
            "SERVICES": ",".join(LAKEHOUSE),
            # What it prints is in its log at once, also its version, which it prints first.
            "PYTHONUNBUFFERED": "1",
        }


def _wait(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
