"""Follows the structure of one JSON object through text that comes in pieces.

The JSON decoder is faster, but needs the whole object at once, and no word in it that is not JSON.
"""

from __future__ import annotations

import re

#: An object nested deeper is damaged, so that a file of brackets does not fill the memory.
DEEPEST = 100_000

#: What Python's decoder says where no colon follows a key, and where no comma follows a value.
NO_COLON, NO_COMMA = "Expecting ':' delimiter", "Expecting ',' delimiter"

_SPACE = r"[ \t\n\r]*+"
#: A number, `true`, or a bare word that is not JSON.
WORD = r"[0-9A-Za-z_.+-]++"
#: In a string no control character stands, so a lost quote is seen at the end of its line.
_BODY = r'[^"\\\x00-\x1f]*+(?:\\[^\x00-\x1f][^"\\\x00-\x1f]*+)*+'
_STRING = f'"{_BODY}"'
_PLAIN = rf"(?:{_STRING}|{WORD}|\[{_SPACE}\]|\{{{_SPACE}\}})"

_space = re.compile(_SPACE)
_word = re.compile(WORD)
_body = re.compile(_BODY)
# Many values without a structure of their own are passed at once.
_items = re.compile(rf"(?:{_SPACE},{_SPACE}{_PLAIN})*+")
_members = re.compile(rf"(?:{_SPACE},{_SPACE}{_STRING}{_SPACE}:{_SPACE}{_PLAIN})*+")

# One token that is whole: a key, a value, a bracket that opens or closes, a comma. A word at the text's end may go on.
_token = re.compile(
    rf"{_SPACE}(?:({_STRING}{_SPACE}:)|({_STRING}|{WORD}(?=[^0-9A-Za-z_.+-]))|([{{\[])|([}}\]])|(,))", re.DOTALL
)
_KEY_TOKEN, _VALUE_TOKEN, _OPENING_TOKEN, _CLOSING_TOKEN, _COMMA_TOKEN = range(1, 6)

# What may come next.
_KEY, _KEY_OR_END, _COLON, _VALUE, _VALUE_OR_END, _COMMA_OR_END = range(6)

_ARRAY = -1


class Walk:
    """The way through one object, from its `{` on.

    Attributes:
        is_whole: It came to the object's end.
        is_broken: It came to where the object cannot go on.
    """

    def __init__(self) -> None:
        self.is_whole = False
        self.is_broken = False
        self._stack: list[int] = []
        self._next = _VALUE
        self._in_string = False
        self._in_word = False

    @property
    def open_objects(self) -> list[int]:
        """Where the objects begin that have not ended yet."""
        return [start for start in self._stack if start != _ARRAY]

    def go_on(self, text: str, at: int, is_last: bool) -> int:
        """Goes on in the text at `at`, which follows where it stopped.

        Args:
            text: What is there of the object, perhaps with more behind it.
            at: Where to go on.
            is_last: Nothing follows the text.

        Returns:
            Where it stopped: behind the object, where it is broken, or where more text is needed.
        """
        while not (self.is_whole or self.is_broken):
            if not (self._in_string or self._in_word):
                at = self._tokens(text, at)
                if self.is_whole:
                    break
            at = self._through(text, at)
            if at == len(text) or (self._in_string and text.endswith("\\") and at == len(text) - 1):
                self.is_broken = is_last
                return at
            at = self._step(text, at)
        return at

    def _tokens(self, text: str, at: int) -> int:
        """Over tokens that are whole and may come next. What else there is, is left to `_step`.

        One loop is several times as fast as calls.
        """
        stack, expected, match = self._stack, self._next, _token.match
        while token := match(text, at):
            kind = token.lastindex
            if kind == _KEY_TOKEN and expected in {_KEY, _KEY_OR_END}:
                expected = _VALUE
            elif kind == _VALUE_TOKEN and expected in {_VALUE, _VALUE_OR_END}:
                expected = _COMMA_OR_END
            elif kind == _OPENING_TOKEN and expected in {_VALUE, _VALUE_OR_END} and len(stack) < DEEPEST:
                start = token.end() - 1
                is_array = text[start] == "["
                stack.append(_ARRAY if is_array else start)
                expected = _VALUE_OR_END if is_array else _KEY_OR_END
            elif kind == _CLOSING_TOKEN and (text[token.end() - 1] == "]") == (stack[-1] == _ARRAY):
                if expected not in {_COMMA_OR_END, _VALUE_OR_END if stack[-1] == _ARRAY else _KEY_OR_END}:
                    break
                stack.pop()
                expected = _COMMA_OR_END
                if not stack:
                    self.is_whole = True
                    at = token.end()
                    break
            elif kind == _COMMA_TOKEN and expected == _COMMA_OR_END:
                end = _match_end(_items if stack[-1] == _ARRAY else _members, text, at)
                if at < end < len(text):
                    at = end
                    continue
                expected = _VALUE if stack[-1] == _ARRAY else _KEY
            else:
                break
            at = token.end()
        self._next = expected
        return at

    def _through(self, text: str, at: int) -> int:
        """Over what does not change the structure."""
        if self._in_string:
            return _match_end(_body, text, at)
        if self._in_word:
            word = _word.match(text, at)
            at = word.end() if word else at
            self._in_word = at == len(text)
        if self._next == _COMMA_OR_END and not self._in_word:
            start, at = at, _match_end(_items if self._stack[-1] == _ARRAY else _members, text, at)
            self._in_word = start < at == len(text) and _word.match(text, at - 1) is not None
        return _match_end(_space, text, at)

    def _step(self, text: str, at: int) -> int:
        """Over one character of the structure, or the start of a string or a word."""
        char = text[at]
        if self._in_string:
            self._in_string = False
            self.is_broken = char != '"'
        elif char == '"':
            self._string()
        elif char in "{[":
            self._begin(char, at)
        elif char in "}]":
            self._end(char)
        elif char in ":,":
            self._separate(char)
        else:
            self._expect(_VALUE, _VALUE_OR_END)
            self._next = _COMMA_OR_END
            self._in_word = _word.match(char) is not None
            self.is_broken |= not self._in_word
        return at if self.is_broken else at + 1

    def _string(self) -> None:
        is_key = self._next in {_KEY, _KEY_OR_END}
        self._expect(_KEY, _KEY_OR_END, _VALUE, _VALUE_OR_END)
        self._in_string = True
        self._next = _COLON if is_key else _COMMA_OR_END

    def _begin(self, char: str, at: int) -> None:
        self._expect(_VALUE, _VALUE_OR_END)
        self.is_broken |= len(self._stack) >= DEEPEST
        if not self.is_broken:
            self._stack.append(at if char == "{" else _ARRAY)
            self._next = _KEY_OR_END if char == "{" else _VALUE_OR_END

    def _end(self, char: str) -> None:
        is_array = self._stack[-1] == _ARRAY
        self._expect(_VALUE_OR_END if is_array else _KEY_OR_END, _COMMA_OR_END)
        self.is_broken |= is_array != (char == "]")
        if not self.is_broken:
            self._stack.pop()
            self._next = _COMMA_OR_END
            self.is_whole = not self._stack

    def _separate(self, char: str) -> None:
        self._expect(_COLON if char == ":" else _COMMA_OR_END)
        self._next = _VALUE if char == ":" or self._stack[-1] == _ARRAY else _KEY

    def _expect(self, *allowed: int) -> None:
        self.is_broken |= self._next not in allowed


def is_word_at(text: str, at: int) -> bool:
    """Whether a number, `true` or a bare word that is not JSON begins or goes on at this place."""
    return _word.match(text, at) is not None


def _match_end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where a pattern that may be empty ends."""
    found = pattern.match(text, at)
    return found.end() if found else at
