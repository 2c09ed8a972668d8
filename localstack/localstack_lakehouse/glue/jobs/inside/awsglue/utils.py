"""A job's arguments."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import NoReturn

#: What a script may have from Glue without asking for it.
_OPTIONAL = ("TempDir", "JOB_ID", "JOB_RUN_ID", "job-bookmark-option", "job-bookmark-from", "job-bookmark-to")


class GlueArgumentError(Exception):
    """An argument is missing."""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GlueArgumentError(message)


def getResolvedOptions(args: Sequence[str], options: Sequence[str]) -> dict[str, str]:  # noqa: N802 - Glue's name
    """The options asked for, from `sys.argv`. Raises GlueArgumentError when one is missing."""
    parser = _Parser(add_help=False)
    for name in _OPTIONAL:
        parser.add_argument(f"--{name}")
    for name in set(options) - set(_OPTIONAL):
        parser.add_argument(f"--{name}", required=True)
    return vars(parser.parse_known_args(args[1:])[0])
