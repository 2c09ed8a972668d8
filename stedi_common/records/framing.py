"""Where objects begin and end in a file in which they are not lines: docs/records.md, "Lines".

Bytes are handled as Latin-1 text, one character for each: the structure of JSON is ASCII, and the decoder wants text.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum, auto
from typing import NamedTuple

from stedi_common.records.compression import BreakError
from stedi_common.records.names import TOO_DAMAGED
from stedi_common.records.structure import DEEPEST, NO_COLON, NO_COMMA, Walk, is_word_at
from stedi_common.settings import Limits

#: The single bytes that are padding around a line or an object. A byte-order mark is padding too.
PADDING = b" \t\n\r\v\f\0\x1e,[]"
TOO_LONG = "too_long"
#: Stands before a unit that may be part of a damaged object. It is padding, with which no unit begins.
MAY_BE_INNER = b"\0"

_MARK = b"\xef\xbb\xbf"
_PADDING, _MARK_TEXT = PADDING.decode("latin-1"), _MARK.decode("latin-1")
_PAD = re.escape(_PADDING)
#: Padding, but for what an object may follow after damage.
_QUIET = r" \t\v\f\0,\["

_padding = re.compile(rf"[{_PAD}]*+(?:{_MARK_TEXT}[{_PAD}]*+)*+")
_padding_backwards = re.compile(rf"[{_PAD}]*+(?:{_MARK_TEXT[::-1]}[{_PAD}]*+)*+")
_quiet = rf"[{_QUIET}]*+(?:{_MARK_TEXT}[{_QUIET}]*+)*+"
# What begins so may be an object, as far as is looked ahead: most of what cannot be one is passed without a try.
_few_spaces = r"[ \t\n\r]{0,64}+"
_key = rf'"[^"\\\x00-\x1f]{{0,256}}+(?:[^"\x00-\x1f]|"{_few_spaces}[: \t\n\r]|"{_few_spaces}\Z|\Z)'
_promising = rf"(?={_few_spaces}(?:[}} \t\n\r]|{_key}|\Z))"
_LOOKED_AHEAD = 512

# Between the last character that ends a stretch and the `{` is only quiet padding: no run of padding is passed twice.
_next_object = re.compile(rf"[}}\]\n\r\x1e]{_quiet}\{{")
_next_promising_object = re.compile(rf"{_next_object.pattern}{_promising}")
_before_an_object = re.compile(rf"{_quiet}\{{")
_all_quiet = re.compile(rf"{_quiet}\Z")

_string = r'"(?:[^"\\\n]|\\[^\n])*+"'
_string_or_torn = re.compile(f"{_string}?")
_string_without_opening = r'"(?:[^"\\\n\[{]|\\[^\n\[{])*+"'
# A line that ends within quotes, and in quotes of which, torn or not, a bracket opens. Linear: nothing is tried twice.
_opening_in_torn_line = re.compile(
    rf'^(?:[^"\n]++|{_string_without_opening})*+'
    rf'(?:{_string}(?:[^"\n]++|{_string})*+"|(?!{_string})"[^\n\[{{]*+[\[{{])',
    re.MULTILINE,
)
#: The opening bracket of each closing one.
_OPENING = {"]": "[", "}": "{"}
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
#: How often pairs are taken out before brackets are looked at one by one: most are not nested deeper.
_PAIRINGS = 4
#: So many brackets are looked at together.
_AT_ONCE = 2**14
#: What an object may follow, after quiet padding.
_ENDS = "}]\n\r\x1e"
#: What may stand between a colon and its value, and what is padding and no sign of JSON.
_SPACE = " \t\n\r\v\f\0\x1e"

#: An object is tried in a window, as the decoder counts all lines before an error.
_WINDOW = 4 * 2**10
_WINDOW_GROWS = 8
#: How near to the window's end an error may be for want of more text: within a word or an escape.
_NEAR = 32

#: An object with fewer bytes is no record of any source.
_SHORT_OBJECT = 32
#: A stretch with fewer bytes is damage, and a `{` that follows another in a stretch after fewer bytes.
_SHORT_STRETCH = 192
#: Lines with more damage are not examined to their end.
_MAX_DAMAGE_OF_LINES = 2_000


def unpadded(line: bytes) -> bytes:
    """The line without the padding around it; b"" for a blank line."""
    line = line.strip(PADDING)
    if line.startswith(_MARK) or line.endswith(_MARK):
        text = line.decode("latin-1")
        line = text[_padding_end(text, 0) : _content_end(text)].encode("latin-1")
    return line


def are_objects(pieces: Iterable[bytes], limits: Limits) -> bool:
    """Whether a file is read as objects: the rule of docs/records.md, "Lines". Not if there is too much damage first.

    Args:
        pieces: The whole content, unpacked, as UTF-8. A BreakError says that it broke off.
        limits: An object may be longer than `line_bytes`. Content behind too much damage is not examined.
    """
    rule = _Rule()
    return any(map(rule.is_met_by, _Units(pieces, limits.line_bytes, limits.damage)))


def go_over_lines(lines: Sequence[bytes]) -> bool:
    """The same rule for some lines of a file. Also true with much damage: then the whole file must be examined.

    Args:
        lines: Consecutive lines, with their line feeds or without. Before them a unit ends.
    """
    text = b"\n".join(line.removesuffix(b"\n") for line in lines)
    units = _Units([text], max(len(text), 1), _MAX_DAMAGE_OF_LINES)
    return any(map(_Rule().is_met_by, units)) or units.is_too_damaged


class Cut(NamedTuple):
    """What lines tell that others follow.

    Attributes:
        are_objects: As `are_objects`, or an object in the next line may be a value of one in these.
        is_open: An object may go on in the next line.
    """

    are_objects: bool
    is_open: bool


def cut(lines: Sequence[bytes]) -> Cut:
    """What can be told of lines whose file goes on behind them. Arguments as above."""
    text = b"\n".join(line.removesuffix(b"\n") for line in lines) + b"\n"
    units, rule = _Units(_broken_off(text), len(text), _MAX_DAMAGE_OF_LINES), _Rule()
    for unit in units:
        if rule.is_met_by(unit):
            return Cut(True, True)
    if units.is_too_damaged:
        return Cut(True, True)
    return Cut(units.is_before_value, units.is_open)


def looks_like_objects(prefix: bytes, is_all: bool, limits: Limits) -> bool | None:
    """Whether a file is read as objects, as far as its beginning tells: up to the line of the first whole object.

    Args:
        prefix: How the file begins.
        is_all: Whether that is the whole file.
        limits: Beyond `line_bytes` nothing is tried.

    Returns:
        None if more must be seen.
    """
    rule = _Rule()
    has_object = False
    for unit in _Units([prefix] if is_all else _broken_off(prefix), limits.line_bytes, limits.damage):
        is_over = has_object and unit.is_after_line_feed
        if unit.flaw == _UNSEEN:
            return False if is_over else None
        if rule.is_met_by(unit):
            return True
        if is_over:
            break
        has_object |= unit.is_object
    return False


def as_lines(pieces: Iterable[bytes], limits: Limits) -> Iterator[tuple[bytes, str | None]]:
    """Reads a file as objects: each unit becomes a line.

    Args:
        pieces: The unpacked content, as UTF-8. A BreakError says that it broke off.
        limits: A unit longer than `line_bytes` is cut there, and its rest is skipped.

    Yields:
        A unit with its line ending (without one if the file ends within the unit and without a line feed); or the first
        bytes of a unit that is rejected, and the reason. If there is too much damage, at last b"" and `TOO_DAMAGED`.
    """
    units = _Units(pieces, limits.line_bytes, limits.damage)
    for unit in units:
        yield unit.line, unit.flaw
    if units.is_too_damaged:
        yield b"", TOO_DAMAGED


_UNSEEN = "unseen"


def _broken_off(prefix: bytes) -> Iterator[bytes]:
    yield prefix
    raise BreakError(_UNSEEN)


class _Unit(NamedTuple):
    """A whole object or a stretch.

    Attributes:
        is_inner: It may be part of a damaged object.
        value_of: What is before an object that stands where one of that object's values may stand: `[` or `:`; None if
            an object alone on its line is between.
    """

    text: str
    is_object: bool
    flaw: str | None = None
    is_after_line_feed: bool = False
    is_torn: bool = False
    goes_over_lines: bool = False
    is_inner: bool = False
    value_of: str | None = None

    @property
    def line(self) -> bytes:
        ending = b"" if self.is_torn or self.flaw else b"\n"
        mark = MAY_BE_INNER if self.is_inner and not self.flaw else b""
        return mark + self.text.replace("\n", " ").replace("\r", " ").encode("latin-1") + ending


class _Rule:
    """When objects are not lines."""

    def __init__(self) -> None:
        self._has_object = False
        self._is_behind_value = False

    def is_met_by(self, unit: _Unit) -> bool:
        """Whether this unit shows it, which follows the units before."""
        is_second = self._has_object and not unit.is_after_line_feed
        self._has_object = unit.is_object or (is_second and not unit.goes_over_lines)
        is_value = unit.value_of is not None and unit.is_after_line_feed
        # A line that breaks off behind a colon is no sign, unless what follows the next line goes on with an object.
        goes_on = self._is_behind_value and not unit.is_object and not unit.text.startswith("{")
        self._is_behind_value = is_value
        return goes_on or (
            unit.is_object and (is_second or unit.goes_over_lines or (is_value and unit.value_of == "["))
        )


class _Signs(NamedTuple):
    """What text that is no object shows of the structure.

    Attributes:
        brackets: All that are not in quotes.
        has_torn_opening: A line ends within quotes, and a bracket opens in quotes there.
        last: The last character that is not space.
    """

    brackets: str
    has_torn_opening: bool
    last: str


def _signs(text: str) -> _Signs:
    """The signs of a text. A string ends with its line at the latest."""
    last = text.rstrip(_SPACE)[-1:]
    brackets = _brackets(text)
    if not brackets or '"' not in text:  # without a bracket, quotes make no difference
        return _Signs(brackets, False, last)
    outside = _brackets(_string_or_torn.sub("", text))
    is_torn = len(outside) < len(brackets) and _opening_in_torn_line.search(text) is not None
    return _Signs(outside, is_torn, last)


class _Open:
    """The brackets that are open since an object broke. While one is, an object may be part of that object."""

    def __init__(self) -> None:
        self._brackets: list[str] = []
        self._last = ""
        self._has_torn_quotes = False

    @property
    def is_open(self) -> bool:
        return bool(self._brackets) or self._last == ":" or self._has_torn_quotes

    @property
    def before_value(self) -> str | None:
        """`:` or `[` where a value may stand."""
        return "[" if self._brackets[-1:] == ["["] else ":" if self._last == ":" else None

    def add_padding(self, padding: str) -> None:
        if self.is_open:
            self._add(_signs(padding))

    def add_stretch(self, head: _Head, signs: _Signs) -> None:
        """`signs`: those of the stretch, without the bracket at which it broke."""
        if not self.is_open and not head.text.startswith("{"):
            self._brackets.append("{")  # what it began with is damaged
        self._add(signs)
        self.add_padding(head.start[len(head.text) :])
        if head.is_cut:
            self._brackets.append("{")  # what was not kept may have opened one

    def add_object(self) -> None:
        self._last = "}"

    def clear(self) -> None:
        self._brackets.clear()
        self._last = ""
        self._has_torn_quotes = False

    def _add(self, signs: _Signs) -> None:
        """Goes on with what is no object."""
        self._add_brackets(signs.brackets)
        self._has_torn_quotes |= signs.has_torn_opening  # any bracket in quotes may be outside of them
        self._last = signs.last or self._last

    def _add_brackets(self, text: str) -> None:
        for at in range(0, len(text), _AT_ONCE):
            some = text[at : at + _AT_ONCE]
            if len(self._brackets) + len(some) <= DEEPEST:
                some = _without_pairs(some)
            if not any(closing in some for closing in _OPENING):
                self._brackets += some[: DEEPEST - len(self._brackets)]
            else:
                self._add_each(some)

    def _add_each(self, text: str) -> None:
        brackets = self._brackets
        for bracket in text:
            if bracket not in _OPENING:
                if len(brackets) < DEEPEST:
                    brackets.append(bracket)
            elif brackets[-1:] == [_OPENING[bracket]]:
                brackets.pop()


def _brackets(text: str) -> str:
    """All brackets of the text."""
    return text.encode("latin-1").translate(None, _NO_BRACKETS).decode("latin-1")


def _without_pairs(brackets: str) -> str:
    """The brackets without most of those that end where they begin."""
    for _ in range(_PAIRINGS):
        brackets = brackets.replace("[]", "").replace("{}", "")
    return brackets


class _Verdict(Enum):
    WHOLE = auto()
    BROKEN = auto()
    LONG = auto()
    INCOMPLETE = auto()


class _Tried(NamedTuple):
    """What there is at a `{`, where it ends, counted from there, and which objects in it begin but do not end."""

    verdict: _Verdict
    end: int = 0
    open_objects: Sequence[int] = ()


class _Text:
    """Text that comes in pieces, of which only a part is held. Places are counted from the beginning of the file."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._base = 0
        self.held = ""
        self.at = 0
        self.is_done = False
        self.flaw: str | None = None

    @property
    def index(self) -> int:
        """Where `at` is in what is held."""
        return self.at - self._base

    @property
    def ahead(self) -> int:
        """How much is held from `at` on."""
        return len(self.held) - self.index

    @property
    def is_last(self) -> bool:
        """Nothing follows what is held, and not because the file broke off."""
        return self.is_done and self.flaw is None

    def pass_over(self, count: int) -> str:
        """Moves on over the next characters."""
        passed = self.held[self.index : self.index + count]
        self.at += count
        return passed

    def more(self) -> bool:
        """Forgets what is before `at`, and doubles what is left, so that to look at all of it each time is linear."""
        parts = [self.held[self.index :]]
        wanted = len(parts[0])
        got = 0
        while got <= wanted and not self.is_done:
            piece = self._next_piece()
            got += len(piece)
            parts.append(piece.decode("latin-1"))
        self.held, self._base = "".join(parts), self.at
        return got > 0

    def _next_piece(self) -> bytes:
        try:
            piece = next(self._pieces, None)
        except BreakError as error:
            self.is_done, self.flaw = True, error.reason
            return error.rest
        self.is_done = piece is None
        return piece or b""


class _Head:
    """The first characters of a unit, and how long it is without the padding at its end."""

    def __init__(self, limit: int, broken: int = -1) -> None:
        self._limit = limit
        self._broken = broken
        self._parts: list[str] = []
        self._passed = 0
        self._content = 0
        self.has_line_feed_behind = False
        self._first_line_feed: int | None = None
        self.dense = 0  # how many `{` follow another after less than `_SHORT_STRETCH`
        self._last_beginning = -_SHORT_STRETCH

    def add(self, text: str) -> None:
        """Goes on with the text, which does not end within a byte-order mark."""
        if self._passed < self._limit:
            self._parts.append(text[: self._limit - self._passed])
        self._count_dense(text)
        if self._first_line_feed is None and (place := text.find("\n")) >= 0:
            self._first_line_feed = self._passed + place
        end = _content_end(text)
        self.has_line_feed_behind = text.find("\n", end) >= 0 or (self.has_line_feed_behind and not end)
        if end:
            self._content = self._passed + end
        self._passed += len(text)

    def _count_dense(self, text: str) -> None:
        place = text.find("{")
        while place >= 0:
            self.dense += self._passed + place - self._last_beginning < _SHORT_STRETCH
            self._last_beginning = self._passed + place
            place = text.find("{", place + 1)

    @property
    def is_long(self) -> bool:
        return self._content > self._limit

    @property
    def goes_over_lines(self) -> bool:
        return self._first_line_feed is not None and self._first_line_feed < self._content

    @property
    def text(self) -> str:
        return self.start[: self._content]

    @property
    def undamaged(self) -> str:
        """Without the bracket that closes where the unit breaks: it may be the damage."""
        text, place = self.text, self._broken
        return text[:place] + text[place + 1 :] if place >= 0 and text[place : place + 1] in {"}", "]"} else text

    @property
    def start(self) -> str:
        """With the padding behind it, up to the limit."""
        return "".join(self._parts)

    @property
    def is_cut(self) -> bool:
        return self._passed > self._limit


class _Units:
    """The units of a file that is read as objects, in order; then, if the file broke off, the rest.

    Args:
        pieces: The content.
        limit: The bytes of a unit.
        damage: The limit of damage; with more, no more units come.
    """

    def __init__(self, pieces: Iterable[bytes], limit: int, damage: int = sys.maxsize) -> None:
        self._text = _Text(pieces)
        self._limit = limit
        self._damage_left = damage
        # What is told of an object may not depend on what lies beyond the limit.
        self._next = _next_promising_object if limit > _LOOKED_AHEAD else _next_object
        self._has_line_feed_passed = False
        self._open = _Open()
        self._open_in_lines = _Open()  # the same, but an object alone on its line ends what is damaged before it
        self._is_behind_object = False
        self._may_be_alone = False  # the unit before is an object that begins its line
        self._has_opening = False
        self._break = -1  # where the last object broke
        self._tried: tuple[int, _Tried] | None = None
        self._broken: dict[int, int] = {}  # where objects begin, and where they break
        self._broken_until = 0

    @property
    def is_open(self) -> bool:
        """Whether what comes next may be part of an object that was damaged, or has not ended."""
        return self._open.is_open

    @property
    def is_too_damaged(self) -> bool:
        """Whether there was too much damage."""
        return self._damage_left < 0

    @property
    def is_before_value(self) -> bool:
        return self._open_in_lines.before_value is not None

    @property
    def _opens(self) -> tuple[_Open, _Open]:
        return self._open, self._open_in_lines

    def __iter__(self) -> Iterator[_Unit]:
        text = self._text
        while True:
            yield from self._plain_objects()
            is_after_line_feed = self._skip_padding() or self._has_line_feed_passed
            self._has_line_feed_passed = False
            if not text.ahead or self.is_too_damaged:
                break
            if is_after_line_feed and self._may_be_alone:
                self._open_in_lines.clear()
            is_inner, unit = self._open.is_open, self._unit()
            if self._add_damage(unit):
                return
            if not unit.is_object:  # with spaces for its line feeds, a stretch may be an object
                unit = unit._replace(is_inner=is_inner)
            self._may_be_alone = is_after_line_feed and unit.is_object
            yield unit._replace(is_after_line_feed=is_after_line_feed)
            if unit.flaw and unit.flaw == text.flaw:
                return
        if text.flaw and not self.is_too_damaged:
            yield _Unit("", False, text.flaw, is_after_line_feed)

    def _unit(self) -> _Unit:
        """The unit that begins here."""
        text, at, tried = self._text, self._text.at, self._try()
        if tried.verdict is _Verdict.WHOLE:
            return self._object(text.pass_over(tried.end), at)
        if tried.verdict is _Verdict.LONG:
            return self._long_object()
        if tried.verdict is _Verdict.INCOMPLETE:
            return self._rest(_Head(self._limit))
        self._break = max(self._break, self._broken.get(at, -1))
        return self._stretch(_Head(self._limit, self._break - at))

    def _add_damage(self, unit: _Unit) -> bool:
        """Count the damage of the unit. Returns whether there is too much damage now."""
        self._damage_left -= len(unit.text) < (_SHORT_OBJECT if unit.is_object else _SHORT_STRETCH)
        return self.is_too_damaged

    def _plain_objects(self) -> Iterator[_Unit]:
        """The fast path: whole and small objects in the text that is held."""
        text, held, index = self._text, self._text.held, self._text.index
        size = min(_WINDOW, self._limit)
        if any(each.is_open for each in self._opens):
            return
        while found := _padding.match(held, index):
            start = found.end()
            if not held.startswith("{", start) or (self._broken and text.at + start - index in self._broken):
                return
            try:
                end = start + _decode(held[start : start + size])[1]
            except (json.JSONDecodeError, RecursionError):
                return
            is_after_line_feed = self._has_line_feed_passed or held.find("\n", index, start) >= 0
            self._has_line_feed_passed = False
            text.at += end - index
            index = end
            one = held[start:end]
            unit = _Unit(one, True, None, is_after_line_feed, goes_over_lines="\n" in one)
            if end - start < _SHORT_OBJECT and self._add_damage(unit):
                return
            yield unit

    def _skip_padding(self) -> bool:
        """Whether there was a line feed in it."""
        text = self._text
        has_line_feed = self._has_opening = False
        while True:
            padding = text.pass_over(_padding_end(text.held, text.index) - text.index)
            has_line_feed |= "\n" in padding
            self._has_opening |= "," in padding or "[" in padding
            for each in self._opens:
                each.add_padding(padding)
            if not _is_cut_mark(text.held, text.index) or not text.more():
                return has_line_feed

    def _object(self, one: str, at: int) -> _Unit:
        # In JSON no object follows another without a comma or a bracket, unless one breaks there.
        if self._is_behind_object and not self._has_opening and at > self._break:
            for each in self._opens:
                each.clear()
        is_inner, value_of = self._open.is_open, self._open_in_lines.before_value
        for each in self._opens:
            each.add_object()
        self._is_behind_object = True
        return _Unit(one, True, goes_over_lines="\n" in one, is_inner=is_inner, value_of=value_of)

    def _try(self) -> _Tried:
        """What there is at `at`. Reads as much as is needed to know that."""
        text = self._text
        if text.held[text.index] != "{" or text.at in self._broken:
            return _Tried(_Verdict.BROKEN)
        if self._tried and self._tried[0] == text.at:
            return self._tried[1]
        tried = self._tried_in_windows()
        self._tried = text.at, tried
        if tried.verdict is _Verdict.BROKEN:
            self._remember(tried)
        return tried

    def _tried_in_windows(self) -> _Tried:
        text, size, attempt = self._text, _WINDOW, _Attempt()
        while True:
            size = min(size, self._limit)
            is_all = size >= text.ahead
            is_most = size == self._limit or (is_all and text.is_done)
            window = text.held[text.index : text.index + size]
            tried = attempt.go_on(window, is_most, is_last=is_all and text.is_last)
            if tried.verdict is not _Verdict.INCOMPLETE:
                return tried
            if is_all and not text.is_done:
                text.more()
            elif is_most:
                return tried if is_all else _Tried(_Verdict.LONG)
            else:
                size *= _WINDOW_GROWS

    def _remember(self, tried: _Tried) -> None:
        """An object that is open where another one breaks, breaks there too. It is not tried again."""
        at = self._text.at
        if at >= self._broken_until:
            self._broken.clear()
        self._broken.update(dict.fromkeys((at, *(at + start for start in tried.open_objects)), at + tried.end))
        self._broken_until = max(self._broken_until, at + tried.end)

    def _long_object(self) -> _Unit:
        text, walk, head = self._text, Walk(), _Head(self._limit)
        at = text.at
        while not (walk.is_whole or walk.is_broken):
            end = walk.go_on(text.held, text.index, text.is_last)
            head.add(text.pass_over(end - text.index))
            if not (walk.is_whole or walk.is_broken) and not text.more() and text.flaw:
                return self._rest(head)
        if walk.is_broken:
            self._break = text.at
            return self._stretch(head)
        return self._object(head.text, at)._replace(flaw=TOO_LONG, goes_over_lines=head.goes_over_lines)

    def _stretch(self, head: _Head) -> _Unit:
        """To the next whole object that may begin a unit, or the end of the file."""
        text = self._text
        is_ready = False
        while True:
            if (place := self._next_place(is_ready)) >= 0:
                head.add(text.pass_over(place - text.index))
                verdict = self._try().verdict
                if verdict is _Verdict.INCOMPLETE:
                    return self._rest(head)
                if verdict is not _Verdict.BROKEN:
                    self._has_line_feed_passed = head.has_line_feed_behind
                    self._end_stretch(head)
                    flaw = TOO_LONG if head.is_long else None
                    return _Unit(head.text, False, flaw, goes_over_lines=head.goes_over_lines)
                is_ready = False
                head.add(text.pass_over(1))
                if head.dense > self._damage_left:
                    return self._too_damaged_unit()
                continue
            end = _without_cut_mark(text.held)
            is_ready = self._is_ready(is_ready, end)
            head.add(text.pass_over(max(end - text.index, 0)))
            if head.dense > self._damage_left:
                return self._too_damaged_unit()
            if not text.more():
                break
        return self._rest(head)

    def _too_damaged_unit(self) -> _Unit:
        self._damage_left = -1
        return _Unit("", False)

    def _end_stretch(self, head: _Head) -> None:
        self._damage_left -= head.dense
        signs = _signs(head.undamaged)
        for each in self._opens:
            each.add_stretch(head, signs)
        self._is_behind_object = False

    def _rest(self, head: _Head) -> _Unit:
        """All that is left, as one unit."""
        head.add(self._text.pass_over(self._text.ahead))
        self._end_stretch(head)
        flaw = self._text.flaw or (TOO_LONG if head.is_long else None)
        return _Unit(head.text, False, flaw, is_torn=not head.has_line_feed_behind)

    def _next_place(self, is_ready: bool) -> int:
        """Where in the text that is held the next object is that a stretch may end before; -1 if there is none."""
        held, index = self._text.held, self._text.index
        if held.find("{", index) < 0:
            return -1
        found = (_before_an_object.match(held, index) if is_ready else None) or self._next.search(held, index)
        return found.end() - 1 if found else -1

    def _is_ready(self, was_ready: bool, end: int) -> bool:
        """Whether an object that begins at `end` may begin a unit."""
        held, index = self._text.held, self._text.index
        if was_ready and _all_quiet.match(held, index, end):
            return True
        last = max(held.rfind(sign, index, end) for sign in _ENDS)
        return last >= 0 and _all_quiet.match(held, last + 1, end) is not None


_decode = json.JSONDecoder(object_pairs_hook=len, parse_int=len, parse_float=len, parse_constant=len).raw_decode


class _Attempt:
    """Parses the object at one position, in windows that grow. If the decoder cannot tell, a walk continues."""

    def __init__(self) -> None:
        self._walk: Walk | None = None
        self._walked = 0

    def go_on(self, window: str, is_most: bool, is_last: bool) -> _Tried:
        """What there is at the beginning of the window. `is_most`: no larger window will be tried."""
        if self._walk is None:
            if tried := _decoded(window, is_most):
                return tried
            self._walk = Walk()
        walk = self._walk
        self._walked = end = walk.go_on(window, self._walked, is_last)
        if walk.is_whole:
            return _Tried(_Verdict.WHOLE, end)
        return _Tried(_Verdict.BROKEN, end, walk.open_objects) if walk.is_broken else _Tried(_Verdict.INCOMPLETE)


def _decoded(window: str, is_most: bool) -> _Tried | None:
    """The result of the decoder for the window; None if it is not certain."""
    try:
        return _Tried(_Verdict.WHOLE, _decode(window)[1])
    except json.JSONDecodeError as error:
        if not is_most and (error.msg.startswith("Unterminated") or error.pos > len(window) - _NEAR):
            return _Tried(_Verdict.INCOMPLETE)
        if _breaks_flat(window, error):
            return _Tried(_Verdict.BROKEN, error.pos, (0,))
    except RecursionError:
        pass
    return None


def _breaks_flat(window: str, error: json.JSONDecodeError) -> bool:
    """Whether a walk breaks where the decoder does, and no object in this one is open there. Then no walk is needed."""
    if error.pos >= len(window) or window.find("{", 1, error.pos) >= 0:
        return False
    # A value that is not JSON may go on where the decoder wants a comma.
    return error.msg == NO_COLON or (error.msg == NO_COMMA and not is_word_at(window, error.pos))


def _padding_end(text: str, at: int) -> int:
    """Where the padding at this place ends."""
    found = _padding.match(text, at)
    return found.end() if found else at


def _content_end(text: str) -> int:
    """Where the padding at the end of the text begins."""
    content = text.rstrip(_PADDING)
    if content.endswith(_MARK_TEXT):
        found = _padding_backwards.match(content[::-1])
        return len(content) - (found.end() if found else 0)
    return len(content)


def _is_cut_mark(text: str, at: int) -> bool:
    """Whether what is left may be the beginning of a byte-order mark."""
    return len(text) - at < len(_MARK_TEXT) and _MARK_TEXT.startswith(text[at:])


def _without_cut_mark(text: str) -> int:
    """The length of the text without the beginning of a byte-order mark at its end."""
    return next((len(text) - size for size in (2, 1) if text.endswith(_MARK_TEXT[:size])), len(text))
