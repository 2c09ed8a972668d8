"""One name, however it was written (rule 1; docs/records.md, "Values")."""
# ruff: noqa: RUF001 (letters that look like others are what is tested)

import re
import unicodedata
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from stedi_common.rules import identity
from stedi_common.rules.identity import address, device, is_address

#: One and the same person, as the lake knows them.
SPELLINGS = {
    "ada.finch@steps.example": [
        "ada.finch@steps.example",
        "ADA.Finch@Steps.Example",
        " \tada.finch@steps.example\r\n",
        "ada.finch@steps.example\u00a0",
        "ada\u200b.finch@steps.example",
        "\ufeffada.finch@steps.example",
        "ada.fi\u00adnch@steps.example",
        "ada.finch\u200d@\u2060steps.example",
        "ada.finch@steps.example\ufe0f",
        "ada.finch\U000e0061@steps.example",  # a tag character
        "ada.finch\u202e@steps.example",
        "ada.finch＠steps.example",
        "ａｄａ．ｆｉｎｃｈ＠ｓｔｅｐｓ．ｅｘａｍｐｌｅ",
        "ada.finch@steps。example",
        "ada.finch@steps｡example",
        "ada.ﬁnch@steps.example",  # a ligature
        "ada.finch@ſteps.example",  # a long s
        "a\x00da.fi\nnch@steps.example\x7f",
        "ada.finch@steps.example.",
        "ada.finch@steps.example;",
        "ada.finch@steps.example ,;. ",
        "mailto:ada.finch@steps.example",
        "mailto://ada.finch@steps.example",
        "MailTo:ada.finch@steps.example?subject=Stop%20it&cc=bob@steps.example",
        "mailto:ada%2efinch%40steps.example",
        "mailto:mailto:ada.finch@steps.example",
        "mailto:mailto%3Aada.finch@steps.example",
        "mailto:Ada%20%3Cada.finch@steps.example%3E",
        "ｍａｉｌｔｏ：ada.finch@steps.example",
        "<ada.finch@steps.example>",
        "<<ada.finch@steps.example>>",
        "Ada <ada.finch@steps.example>",
        '"Finch, Ada" <ADA.FINCH@steps.example>;',
        "Ada ＜ada.finch＠steps.example＞",
        "Ada <mailto:ada.finch@steps.example>",
        "ada.finch@steps.example <ada.finch@steps.example>",
        '"ada.finch@steps.example" <ada.finch@steps.example>',
        "'ada.finch@steps.example' <mailto:ada.finch@steps.example>",
        "<ada.finch@steps.example.>,",
    ],
    "jürgen@xn--mnchen-3ya.example": [
        "jürgen@münchen.example",
        "JÜRGEN@MÜNCHEN.EXAMPLE",
        "ju\u0308rgen@mu\u0308nchen.example",
        "ju\u034f\u0308rgen@münchen.example",  # an invisible joiner between a letter and its mark
        "ju\x00\u0308rgen@münchen.example",
        "jürgen@xn--mnchen-3ya.example",
        "jürgen@XN--MNCHEN-3YA.example",
        "mailto:j%C3%BCrgen@m%c3%bcnchen.example",
        "Jürgen <ju\u0308rgen@xn--mnchen-3ya.example>",
    ],
    "strasse@strasse.example": [
        "Straße@Straße.example",
        "STRASSE@STRASSE.EXAMPLE",
        "STRAẞE@straße.example",
        "straße@xn--strae-oqa.example",
        "strasse@xn--strae-oqa.example",
    ],
    "kim@kelvin.example": ["\u212aim@\u212aelvin.example"],
    "i\u0307lk@x.example": ["\u0130LK@x.example", "i\u0307lk@x.example"],
    "\u0131@x.example": ["\u0131@x.example"],  # without a dot it is another letter, also folded
    "ώσ@x.example": ["Ώς@x.example", "ω\u0301σ@x.example", "ΏΣ@x.example"],
    "a\u0323\u0301b@x.example": ["a\u0301\u0323b@x.example", "A\u0323\u0301b@x.example"],  # marks in any order
    "👟+tag.cleo@steps.example": ["👟+TAG.cleo@STEPS.example", "👟\ufe0f+tag.cleo@steps.example"],
    "ada@münchen_.xn--mnchen-3ya": ["ada@MÜNCHEN_.münchen"],  # IDNA refuses the first label
    "ada@exam_ple.example": ["ada@exam_ple。example"],
    "ada@i❤.example": ["ada@I❤\ufe0f.example"],
    f"ada@{'ü' * 300}.example": [f"ada@{'Ü' * 300}.example"],
    f"ada@{'b' * 300}.example": [f"ADA@{'B' * 300}.example"],
    # With `xn--` before each label it is longer than a domain can be; the next one is not.
    f"ada@{'.'.join(['ü'] * 43)}": [f"ada@{'.'.join(['Ü'] * 43)}"],
    f"ada@{'.'.join(['xn--tda'] * 31)}": [f"ada@{'.'.join(['Ü'] * 31)}", f"ada@{'。'.join(['xn--tda'] * 31)}"],
    f"ada@{'.'.join(['b'] * 127)}": [f"ada@{'。'.join(['B'] * 127)}"],
    "ada@xn--a": ["ada@XN--a"],  # looks like IDNA, and is not
    "ada@xn--": ["ada@xn--"],
    "": ["", " ", "\u00a0\u200b", "<>", "mailto:", "mailto:?to=ada@steps.example", ";,."],
}
CASES = [(spelling, name) for name, spellings in SPELLINGS.items() for spelling in spellings]


@pytest.mark.parametrize(("spelling", "name"), CASES, ids=[ascii(spelling)[:60] for spelling, _ in CASES])
def test_a_spelling_of_an_address(spelling, name):
    expected = unicodedata.normalize("NFC", name)
    assert address(spelling) == expected
    assert is_address(address(spelling)) == (name != "")


@pytest.mark.parametrize(
    "text",
    [
        "ada",
        "@",
        "ada@",
        "@steps.example",
        "ada@bob@steps.example",
        "ada@steps.example, bob@steps.example",
        "ada@steps.example; bob@steps.example;",
        "<ada@steps.example>, <bob@steps.example>",
        "bob@steps.example, <ada@steps.example>",
        "bob@steps.example <ada@steps.example>",
        "mailto:ada@steps.example,bob@steps.example",
        "ada@steps.example (home)",
        "(Ada) ada@steps.example",
        "Ada <ada@steps.example",
        "<ada@steps.example> Ada",
        '"ada@steps.example"',
        "'ada@steps.example'",
        "email: ada@steps.example",
        "ada@steps.example?subject=x",
        "ada@steps..example",
        "ada@.example",
        "ada@[127.0.0.1]",
        "ada\\@steps.example",
        "ada%40steps.example",
        *(
            "“ada@steps.example”",
            "„ada@steps.example",
            "ada@steps.example’",
            "«ada@steps.example»",
            "›ada@steps.example",
        ),
        *(
            "ada@steps.example、",
            "• ada@steps.example",
            "ada@steps.example –",
            "o’brien@steps.example",
            "a–b@steps.example",
        ),
        *(
            "❝ada@steps.example❞",
            "⟨ada@steps.example⟩",
            "❮ada@steps.example",
            "ada@steps.example❱",
            "● ada@steps.example",
        ),
        *("a\ufffda@steps.example", "ada@st\ufffdps.example", "ada@steps.example\ufffc", "¿ada@steps.example"),
        "ö" * 1000 + "@steps.example",
    ],
)
def test_what_is_not_one_address_is_no_address(text):
    assert not is_address(address(text))


@pytest.mark.parametrize(
    "text", ["o'brien+tag@x.example", "a@b", "ada_f@exam_ple.example", "{x}|~!#$%&*/=?^`@x.example"]
)
def test_an_address_may_be_unusual(text):
    assert is_address(address(text))
    assert address(text) == text


def test_percent_encoding_that_is_not_utf8_stays():
    assert address("mailto:j%FCrgen@x.example") == "j%fcrgen@x.example"


def test_percent_signs_mean_nothing_without_mailto():
    assert address("a%41@x.example") == "a%41@x.example"


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        (" SN-1\r\n", "sn-1"),
        ("\ufeffsn-1\u00a0", "sn-1"),
        ("ＳＮ－１", "sn-1"),
        ("S N - 1", "sn-1"),
        ("sn-1;", "sn-1"),
        ("\u212a-9", "k-9"),
        ("SN--1", "sn--1"),
        ("mailto:SN-1", "mailto:sn-1"),
        ("SN<1>", "sn<1>"),
        ("SN@MÜNCHEN", "sn@münchen"),
        ("0007", "0007"),
        ("\u200b.", ""),
    ],
)
def test_a_spelling_of_a_serial_number(spelling, name):
    assert device(spelling) == name


# Laws. The plain name is made of letters that no form of Unicode changes; each spelling is then made from it.

LETTERS = "abcdefghijklmnopqrstuvwxyzäöüéñøæçabcабвгдежзик0123456789中文かな한글"
WORDS = st.text(LETTERS, min_size=1, max_size=12)
#: Some of White_Space, of the controls and of Default_Ignorable_Code_Point: the first and last of ranges, and odd ones.
INVISIBLE = (
    "\t\n\v\f\r \x00\x1b\x7f\x85\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u180b\u180e\u180f\u2000\u200a"
    "\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202e\u202f\u205f\u2060\u2064\u2065\u206f\u3000\u3164\ufe00"
    "\ufe0f\ufeff\uffa0\ufff0\ufff8\U0001bca0\U0001d173\U000e0001\U000e0041\U000e007f\U000e0100\U000e0fff"
)
FORMS = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])
WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@st.composite
def plain_addresses(draw):
    local = ".".join(draw(st.lists(WORDS, min_size=1, max_size=3)))
    return f"{local}@{draw(WORDS)}.{draw(WORDS)}.example"


@st.composite
def spelled(draw, name):
    """Another spelling of the same address."""
    letters = [letter.upper() if draw(st.booleans()) else letter for letter in name]
    if draw(st.booleans()):
        letters = [letter.translate(WIDE) if draw(st.booleans()) else letter for letter in letters]
    text = unicodedata.normalize(draw(FORMS), "".join(letters))
    if draw(st.booleans()):
        text = draw(st.sampled_from(["mailto:{}", "mailto:{}?subject=a@b", "MAILTO:{}"])).format(
            quote(text, safe="@") if draw(st.booleans()) else text
        )
    text = draw(
        st.sampled_from(["{}", "<{}>", "Ada <{}>", '"Finch, Ada" <{}>', "Ада\u00a0＜{}＞", "{};", "{}.", "{} ,"])
    ).format(text)
    if not re.search("%[0-9A-F]", text):  # an invisible character within `%C3` breaks it
        for place in sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)), reverse=True):
            text = text[:place] + draw(st.sampled_from(INVISIBLE)) + text[place:]
    return text


@given(st.data(), plain_addresses())
def test_every_spelling_of_an_address_is_one_name(data, name):
    once, again = data.draw(spelled(name)), data.draw(spelled(name))
    assert address(once) == address(again) == address(name)
    assert is_address(address(name))


@given(plain_addresses(), plain_addresses())
@example("müller@x.example", "muller@x.example")
@example("mueller@x.example", "müller@x.example")
@example("ada+a@x.example", "ada@x.example")
@example("a.da@x.example", "ada@x.example")
@example("ada@x.example", "ada@x.example.com")
def test_two_addresses_stay_two(one, other):
    assume(one != other)
    assert address(one) != address(other)


#: Any text, with what matters to the code more often than by chance.
TEXTS = st.lists(
    st.one_of(
        st.text(max_size=3),
        st.sampled_from(INVISIBLE),
        st.sampled_from("@@<>;,.?%:\"'()＠＜＞。"),
        st.sampled_from(
            ["mailto:", "%3C", "%40", "%25", "xn--", "mnchen-3ya", "strae-oqa", "\u0345", "\u0301", "ß", "İ", "ς"]
        ),
    ),
    max_size=12,
).map("".join)


@given(TEXTS)
@example("α\u0345\u034f\u0301@x")
@example("mailto:%6dailto:%2561@x")
@example("a@ß.xn--strae-oqa.xn--")
def test_a_name_is_its_own_name(text):
    for normalise in (address, device):
        name = normalise(text)
        assert normalise(name) == name


@given(TEXTS, st.data())
def test_what_is_invisible_makes_no_difference(text, data):
    place = data.draw(st.integers(0, len(text)))
    noisy = text[:place] + data.draw(st.sampled_from(INVISIBLE)) + text[place:]
    assert address(noisy) == address(text)
    assert device(noisy) == device(text)


@pytest.mark.parametrize("invisible", INVISIBLE, ids=ascii)
def test_every_invisible_character_is_removed(invisible):
    assert device(f"s{invisible}n-1{invisible}") == "sn-1"
    assert address(f"{invisible}ada@x{invisible}.example") == "ada@x.example"


@pytest.mark.parametrize(
    "spelling", ["\u1fb4", "\u03b1\u0345\u0301", "\u03ac\u0345", "\u0386\u034f\u0345", "\u03b1\u0345\u034f\u0301"]
)
def test_a_mark_that_becomes_a_letter_is_folded_in_its_canonical_place(spelling):
    assert device(spelling) == "\u03ac\u03b9"


@given(TEXTS, FORMS)
def test_the_unicode_form_and_case_make_no_difference(text, form):
    for same in (unicodedata.normalize(form, text), unicodedata.normalize(form, text).casefold()):
        assert device(same) == device(text)
        assert address(same) == address(text)


@given(TEXTS)
def test_a_name_holds_nothing_invisible(text):
    for name in (address(text), device(text)):
        assert not set(name) & set(INVISIBLE)
        assert name == name.casefold()


@given(st.from_regex(re.compile(identity.PLAIN, re.ASCII), fullmatch=True))
def test_plain_text_needs_lower_case_only(text):
    assert text.isascii()
    assert address(text) == text.lower()
    assert device(text) == text.lower()


@given(st.from_regex(r"[a-zA-Z0-9][a-zA-Z0-9+_.]{0,20}[a-zA-Z0-9]@[a-z0-9]+(-[a-z0-9]+)?\.[a-z]+", fullmatch=True))
def test_what_people_usually_have_is_plain(text):
    assert re.fullmatch(identity.PLAIN, text)


@pytest.mark.parametrize("unit", ["ö", "a\u0316\u0300", "<", "mailto:", "%25", "-", "\u200b", "a", "ﷺ"])
def test_long_texts_take_little_time(unit):
    text = unit * (1_000_000 // len(unit))
    for normalise in (address, device):
        assert len(normalise(text)) in {len(text), 0}
    assert not is_address(address(text + "@steps.example"))
