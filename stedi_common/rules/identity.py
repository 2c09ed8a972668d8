"""What people and devices are known by (rule 1): one name, however it was written. docs/records.md, "Identities"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from unicodedata import normalize
from urllib.parse import unquote

import idna

#: ASCII white space.
SPACE = " \t\n\v\f\r"

#: A regular expression, for Arrow too, of ASCII text that needs lower case only: it holds no `--` (of IDNA's `xn--`).
PLAIN = r"(?:-?[!#-'*+./-9=?-Z\[-~])*-?[!#-'*+/-9=?-Z\[-~]"

#: Characters that are removed, as ranges of a regular expression.
_WHITE_SPACE_AND_CONTROLS = "\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
#: Default_Ignorable_Code_Point of Unicode; unassigned code points of it are reserved, so the list is stable.
_DEFAULT_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)

_PLAIN_CHARACTERS = re.compile(r"[!#-'*+\--9=?-Z\[-~]+")
_REMOVED = re.compile(f"[{_WHITE_SPACE_AND_CONTROLS}{_DEFAULT_IGNORABLE}]+")
_ENDS = ";,."
_MAILTO = re.compile("(?:mailto:(?://)?)+")
_BRACKETS = re.compile("([^<>]*)<+([^<>]*)>+")
_QUOTES = "\"'"
#: Quotes, dashes, bullets and brackets that text has around an address or in place of ASCII's own, and what stands for
#: a character that was lost.
_TYPOGRAPHY = (
    "\xa1\xab\xbb\xbf\u060c\u061b\u061f\u2010-\u205e\u25a0-\u25ff\u275b-\u2760\u2768-\u2775\u27e6-\u27ef"
    "\u3001-\u3003\u3008-\u301f\ufff9-\ufffd"
)
#: Punctuation that NFKC takes apart: a spacing accent becomes a mark on the letter before it, an ellipsis three dots.
_TAKEN_APART = re.compile(
    "[\xa8\xaf\xb4\xb8\u02d8-\u02dd\u037a\u0384\u0385\u1fbd\u1fbf-\u1fc1\u1fcd-\u1fcf\u1fdd-\u1fdf\u1fed\u1fee\u1ffd"
    "\u1ffe\u2017\u2025\u2026\u203c\u203e\u2047-\u2049\u2a74-\u2a76\u309b\u309c\ufe19\ufe30\ufe49-\ufe4c\uffe3]"
)
#: What NFKC makes `<` of.
_OPENING_BRACKET = re.compile("[<\uff1c\ufe64]")
#: Before the `@` no special of RFC 5322; behind it labels with single dots. So a spelling that is not understood,
#: such as a list or a comment, does not become a stranger.
_LABEL = rf"(?:(?![{_TYPOGRAPHY}])[a-z0-9_\x80-\U0010ffff-])+"
_ADDRESS = re.compile(rf"""[^@"<>()\[\]:;,\\{_TYPOGRAPHY}]+@{_LABEL}(?:\.{_LABEL})*""")
_LONGEST_LABEL = 63
#: What is longer is no address, and is left as it is: normalising takes quadratic time in the worst case.
_LONGEST = 1_000
#: No domain is longer in ASCII (RFC 1035), and each of its labels would take its time.
_LONGEST_DOMAIN = 253
#: IDNA writes this and at least one character for each letter, if a label is not ASCII.
_IDNA_PREFIX = "xn--"


def address(text: str) -> str:
    """The normalised address: `JÜRGEN@München.example` and `mailto:ju\u0308rgen@xn--mnchen-3ya.example` are one."""
    if _is_plain(text):
        return text.lower()
    return _until_stable(text) if len(text) <= _LONGEST else text


def device(text: str) -> str:
    """The normalised serial number."""
    if _is_plain(text):
        return text.lower()
    return _folded(text).rstrip(_ENDS) if len(text) <= _LONGEST else text


def is_address(name: str) -> bool:
    """Whether a normalised name is an address: one `@`, and on both sides what an address has there."""
    return len(name) <= _LONGEST and _ADDRESS.fullmatch(name) is not None


def is_spelled_out(text: str) -> bool:
    """Whether an address, as it is written, has no punctuation that is not seen in its normalised name."""
    return text.isascii() or _TAKEN_APART.search(_OPENING_BRACKET.split(text)[-1]) is None


def _is_plain(text: str) -> bool:
    """What `PLAIN` says, quicker and in constant memory."""
    return _PLAIN_CHARACTERS.fullmatch(text) is not None and "--" not in text and not text.endswith(".")


@lru_cache(2**10)  # a person has many readings
def _until_stable(text: str) -> str:
    """One round may leave something for another: brackets in a `mailto:`, a dot at the end behind a bracket."""
    while True:
        name = _with_ascii_domain(_bare(_folded(text)))
        if name == text:
            return name
        text = name


def _folded(text: str) -> str:
    """NFKC_Casefold of Unicode, without white space and control characters.

    What is invisible goes first, so that it cannot keep a letter and its mark apart.
    """
    while True:
        visible = _REMOVED.sub("", text)
        folded = normalize("NFKC", normalize("NFKC", visible).casefold())
        if folded == text:
            return folded
        text = folded


def _bare(text: str) -> str:
    """The address without `mailto:`, display name and what stands behind it in a list."""
    text = text.rstrip(_ENDS)
    if match := _MAILTO.match(text):
        text = _unquoted(text[match.end() :].partition("?")[0])
    if (match := _BRACKETS.fullmatch(text)) and _is_of(match[1], match[2]):
        return match[2]
    return text


def _unquoted(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:  # not UTF-8: another address must not come of it
        return text


def _is_of(name: str, bracketed: str) -> bool:
    """Whether the display name may go: it is no second address."""
    return "@" not in name or name.strip(_QUOTES) == _MAILTO.sub("", bracketed)


def _with_ascii_domain(text: str) -> str:
    local, at, domain = text.partition("@")
    labels = domain.replace("\u3002", ".").split(".")
    if not at or "@" in domain or _are_too_long(labels):
        return text
    return local + at + ".".join(map(_ascii_label, labels))


def _are_too_long(labels: Sequence[str]) -> bool:
    """Whether no domain is as long as that of these labels would be in ASCII."""
    length = sum(1 + len(label) + (0 if label.isascii() else len(_IDNA_PREFIX)) for label in labels)
    return length - 1 > _LONGEST_DOMAIN


@lru_cache(2**12)  # many people have the same domain
def _ascii_label(label: str) -> str:
    """The label as IDNA writes it in ASCII; as it is if IDNA refuses it."""
    if len(label) > _LONGEST_LABEL:  # IDNA would refuse it, after a long time
        return label
    try:
        # IDNA knows letters that folding does not: the sharp s. They are folded as they are elsewhere.
        unicode = _folded(idna.ulabel(label)) if label.startswith(_IDNA_PREFIX) else label
        return label if unicode.isascii() and unicode == label else _encoded(unicode)
    except UnicodeError:
        return label


def _encoded(label: str) -> str:
    return idna.encode(label, uts46=True, transitional=False).decode()
