"""`localstack-lakehouse up | down | status | logs`."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from .server import LAKEHOUSE, Server, ServerError


def main() -> int:
    """Run a command; its exit code."""
    arguments = _parser().parse_args()
    state = arguments.state or _default_state(arguments.port)
    return int(arguments.command(Server(arguments.port, state.absolute()), arguments))


def up(server: Server, _: argparse.Namespace) -> int:
    """Start the server, unless it is up."""
    if server.healthy():
        return _say(f"already up: {server.url}")
    try:
        server.start()
    except ServerError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return _say(f"up: {server.url} ({', '.join(LAKEHOUSE)} and LocalStack's own; state in {server.state})")


def down(server: Server, _: argparse.Namespace) -> int:
    """Stop the server and everything it started."""
    return _say("down" if server.stop() else "already down")


def status(server: Server, _: argparse.Namespace) -> int:
    """Tell whether the server is up, and which services have been used."""
    if not server.healthy():
        _say("down")
        return 1
    running = [name for name, state in server.services().items() if state == "running"]
    return _say(f"up: {server.url}, running: {', '.join(sorted(running))}")


def logs(server: Server, arguments: argparse.Namespace) -> int:
    """Print what the server printed."""
    if not server.log.exists():
        print(f"error: there is no log in {server.state}", file=sys.stderr)
        return 1
    if not arguments.follow:
        return _say(server.log.read_text(errors="replace"), end="")
    try:
        return subprocess.call(["tail", "-n", "+1", "-F", str(server.log)])  # noqa: S607
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="localstack-lakehouse", description="A lakehouse on LocalStack.")
    common = argparse.ArgumentParser(add_help=False)
    environment = os.environ.get
    common.add_argument(
        "--port", type=int, default=environment("LAKEHOUSE_PORT", "4566"), help="LAKEHOUSE_PORT, else 4566"
    )
    common.add_argument(
        "--state",
        type=Path,
        default=environment("LAKEHOUSE_STATE"),
        help="folder for everything it keeps: LAKEHOUSE_STATE, else one for each port in the user's state folder",
    )
    commands = parser.add_subparsers(required=True)
    for command in (up, down, status, logs):
        sub = commands.add_parser(command.__name__, parents=[common], help=command.__doc__)
        sub.set_defaults(command=command)
        if command is logs:
            sub.add_argument("-f", "--follow", action="store_true", help="go on as it grows")
    return parser


def _default_state(port: int) -> Path:
    home = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state")
    return home / "localstack-lakehouse" / str(port)


def _say(line: str, end: str = "\n") -> int:
    print(line, end=end)
    return 0
