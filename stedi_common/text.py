"""Text from outside as it may be shown: nothing in it moves a cursor, changes a colour, or hides."""

from __future__ import annotations

import re
import unicodedata

#: Control and format characters (ANSI, bidirectional text), lone surrogates, and separators of lines.
_UNSEEN = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))

#: What separates the parts of an address, in the name of a file too.
AT = r"(?:[@\uff20\ufe6b]|%40)"
#: What is shown instead of an address.
ADDRESS = "‹address›"  # noqa: RUF001 - not `<`, which is markup

#: What begins a URI. A program such as pathlib may have taken one of its slashes.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:/")


def is_uri(text: str) -> bool:
    """Whether the text is a URI and no path."""
    return _URI.match(text) is not None


def escaped(text: str, keep: str = "") -> str:
    """The text with each character that does not show written as its code, such as `\\x1b` or `\\u202e`.

    Args:
        text: any text.
        keep: characters that stay as they are.
    """
    if text.isprintable():  # none of them is
        return text
    return "".join(each if each in keep else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    if unicodedata.category(character) not in _UNSEEN:
        return character
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
