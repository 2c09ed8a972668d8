"""Commands that are typed in the process of the tests, and what they say."""

from support.commands import Finished
from support.drops import at, customer, landing, reading, step

DROPS = landing(
    [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")],
    [reading("ann@example.org", at("09:00")), reading("bob@example.org", at("09:00"))],
    [step("sn-1", at("09:00"))],
)

#: A line of each command that opens a lake.
EVERY_COMMAND = (
    *(("land",), ("run",), ("run", "--plan"), ("maintain",), ("status",)),
    *(("query", "SELECT 1"), ("demo",), ("policy", "show"), ("policy", "set", "--consent", "ever")),
    ("subject", "show", "ann@example.org"),
    ("subject", "withdraw", "ann@example.org"),
)


def error_lines(said: Finished) -> list[str]:
    """The lines of an error that a user is meant to read, when nothing else was said."""
    assert (said.code, said.out) == (1, "")
    return said.err.splitlines()
