"""The drops in which a person is searched."""

from __future__ import annotations

from pathlib import Path

from stedi_common.records import Found, discover
from stedi_common.settings import Settings


def drops_of(settings: Settings) -> Found | None:
    """The files below the landing folder. None if nobody named it, and the default folder is not there.

    Raises:
        LakeError: the folder that the settings name is not there, or has no folder of a source.
    """
    if "landing" in settings.explicit or Path(settings.landing).is_dir():
        return discover(settings.landing)
    return None
