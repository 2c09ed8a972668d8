"""What the name of a file says: whether it is read, whose it is, and how it is shown."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from stedi_common.contracts import SOURCES
from stedi_common.text import ADDRESS, AT, escaped

# Why a file is not read: docs/records.md, "Files".
HIDDEN = "hidden"
TEMPORARY = "temporary"
LINK_OUTSIDE = "link_outside"
LINK_LOOP = "link_loop"
NOT_A_FILE = "not_a_file"
NAME_NOT_UTF8 = "name_not_utf8"
UNUSABLE_KEY = "unusable_key"
ARCHIVED = "archived"
OUTSIDE_SOURCES = "outside_sources"
UNKNOWN_ENDING = "unknown_ending"
UNREADABLE = "unreadable"
#: The file has more damage than the limit allows.
TOO_DAMAGED = "too_damaged"

#: Skipped files of a source with one of these reasons are unread: somebody must make them readable.
UNREAD_REASONS = (UNREADABLE, ARCHIVED, NAME_NOT_UTF8, UNUSABLE_KEY, LINK_OUTSIDE, LINK_LOOP, TOO_DAMAGED)

_TEMPORARY = ("~", ".tmp", ".temp", ".part", ".partial", ".crdownload", ".swp", ".crc", ".filepart")
_ENDINGS = ("json", "jsonl", "ndjson", "txt")
#: What names of compressed files end with. The content decides how a file is read.
COMPRESSED = ("gz", "gzip", "zst", "zstd", "bz2")
_ENDING = rf"(?:\.(?:{'|'.join(_ENDINGS)}))?(?:\.(?:{'|'.join(COMPRESSED)}))?"
#: An `@` may be a full-width one, or escaped as in a URI. The ending is no part of an address.
_ADDRESS = re.compile(rf"[^\s/]+{AT}[^\s/]+?(?={_ENDING}(?:[\s/]|$))", re.IGNORECASE)
#: Every file passes by here, so it is one search. The parts `.` and `..`, which a key in S3 can have, do not hide.
_HIDDEN = re.compile(r"(?:^|/)(?:_|\.(?!\.?(?:/|\Z)))")


def text_of(name: bytes) -> tuple[str, str | None]:
    """A name on disk as text, and the reason if it is not UTF-8; what is not is then written as `\\xNN`."""
    try:
        return name.decode(), None
    except UnicodeDecodeError:
        return name.decode(errors="backslashreplace"), NAME_NOT_UTF8


def why_not_read(name: str, found: str | None = None) -> str | None:
    """The first reason why a file is not read, or None.

    Args:
        name: its path below the landing folder; that of a folder ends with `/`.
        found: the first reason that storage has.
    """
    *folders, last = name.split("/")
    if is_hidden(name):
        return HIDDEN
    if last.startswith("~") or last.lower().endswith(_TEMPORARY):
        return TEMPORARY
    if found and found != UNREADABLE:
        return found
    if not folders or folders[0] not in SOURCES:
        return OUTSIDE_SOURCES
    return found if _has_known_ending(last) else UNKNOWN_ENDING


def _has_known_ending(last: str) -> bool:
    parts = last.lower().split(".")
    if len(parts) > 1 and parts[-1] in COMPRESSED:
        parts.pop()
    return len(parts) == 1 or parts[-1] in ("", *_ENDINGS)


def is_hidden(name: str) -> bool:
    """Whether a part of the path begins with `.` or `_`."""
    return _HIDDEN.search(name) is not None


def source_of(name: str, reason: str) -> str:
    """The source whose folder a skipped file lies in, or nothing."""
    first = name.split("/", 1)[0]
    return first if first in SOURCES and reason != OUTSIDE_SOURCES else ""


def nearest(source: str, folders: Iterable[str]) -> str | None:
    """The folder that may be the source's under another name, with `/`. None if none is like it."""
    others = {_letters(folder): folder for folder in sorted(folders, reverse=True)}
    matches = difflib.get_close_matches(_letters(source), others, n=1)
    return f"{others[matches[0]]}/" if matches else None


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def shown(name: str) -> str:
    """A name for a screen or an error: nothing in it moves the cursor or hides, and no address is shown."""
    return escaped(_ADDRESS.sub(ADDRESS, name))
