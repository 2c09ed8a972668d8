"""Commands that are typed in the process of the tests, and what they say."""

from support.commands import Said
from support.drops import at, customer, landing, reading, step

DROPS = landing(
    [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")],
    [reading("ann@example.org", at("09:00")), reading("bob@example.org", at("09:00"))],
    [step("sn-1", at("09:00"))],
)


def error_lines(said: Said) -> list[str]:
    """The lines of an error that a user is meant to read, when nothing else was said."""
    assert (said.code, said.out) == (1, "")
    return said.err.splitlines()
