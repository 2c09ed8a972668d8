"""What people and devices are known by (rule 1): one spelling of a name, wherever it was written."""

from __future__ import annotations

#: ASCII white space. Other kinds are content.
SPACE = " \t\n\v\f\r"

_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def normalised(name: str) -> str:
    """The name without white space around it, in lower case; both in ASCII only: the Kelvin sign is no k."""
    trimmed = name.strip(SPACE)
    return trimmed.lower() if trimmed.isascii() else trimmed.translate(_LOWER)
