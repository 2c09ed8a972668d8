"""`stedi.toml`: what it says holds, and what it says wrongly is an error that helps (docs/records.md, "Limits")."""

import pickle
import re
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paths import ROOT

from stedi_common.errors import SettingsError, StediError
from stedi_common.settings import RANGES, Limits, Settings

DOCS = ROOT / "docs" / "records.md"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working folder, and nothing in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STEDI_CONFIG", raising=False)
    return tmp_path


def load(content):
    file = Path("stedi.toml")
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Settings.load()


def refused(content):
    with pytest.raises(SettingsError) as error:
        load(content)
    return str(error.value)


def test_the_defaults_are_those_of_the_document():
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)( MiB)? \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {key: int(number.replace(",", "")) * (2**20 if unit else 1) for key, number, unit in rows}
    assert documented == asdict(Limits())


def test_without_a_file_there_are_defaults():
    assert Settings.load() == Settings() == Settings(Limits(), {})


@pytest.mark.parametrize("content", ["", "[limits]\n", "[zones]\n", "# nothing yet\n"])
def test_what_a_file_does_not_say_is_the_default(content):
    assert load(content) == Settings()


@pytest.mark.parametrize("key", [field.name for field in fields(Limits)])
def test_every_limit_is_a_key(key):
    least, greatest = RANGES[key]
    for value in (least, greatest):
        assert load(f"[limits]\n{key} = {value}\n") == Settings(replace(Limits(), **{key: value}))
    for value in (least - 1, greatest + 1, "true", "1.5", '"100"', "[100]", "1979-05-27"):
        error = refused(f"[limits]\n{key} = {value}\n")
        assert error.startswith(f"stedi.toml: limits.{key}: expected a whole number from {least} to {greatest}, got ")


def test_every_default_is_in_its_range():
    assert set(RANGES) == set(asdict(Limits()))
    assert all(RANGES[key][0] <= value <= RANGES[key][1] for key, value in asdict(Limits()).items())


def test_a_source_has_a_zone():
    loaded = load('[zones]\naccelerometer = "Europe/Berlin"\nstep_trainer = "UTC"\n')
    assert loaded == Settings(zones={"accelerometer": "Europe/Berlin", "step_trainer": "UTC"})


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (
            "[limits]\nline_byte = 5\n",
            "stedi.toml: limits: expected only line_bytes, nesting, keys, digits, ratio, got 'line_byte'"
            "\nhint: did you mean line_bytes?",
        ),
        ("[limts]\n", "stedi.toml: expected only limits, zones, got 'limts'\nhint: did you mean limits?"),
        ("colour = 1\n", "stedi.toml: expected only limits, zones, got 'colour'"),
        ("limits = 5\n", "stedi.toml: limits: expected a table, got 5\nhint: write [limits] on its own line"),
        ("[[zones]]\n", "stedi.toml: zones: expected a table, got [{}]\nhint: write [zones] on its own line"),
        (
            '[zones]\ncustomers = "UTC"\n',
            "stedi.toml: zones: expected only customer, accelerometer, step_trainer, got 'customers'"
            "\nhint: did you mean customer?",
        ),
        ("[zones]\ncustomer = 2\n", "stedi.toml: zones.customer: expected the name of an IANA zone, got 2"),
        (
            '[zones]\ncustomer = "europe/berln"\n',
            "stedi.toml: zones.customer: expected the name of an IANA zone, got 'europe/berln'"
            "\nhint: did you mean Europe/Berlin?",
        ),
        (
            '[zones]\ncustomer = "+02:00"\n',
            "stedi.toml: zones.customer: expected the name of an IANA zone, got '+02:00'",
        ),
        ('[zones]\ncustomer = ""\n', "stedi.toml: zones.customer: expected the name of an IANA zone, got ''"),
    ],
    ids=range(10),
)
def test_what_is_not_understood_is_an_error_that_names_the_nearest(content, error):
    assert refused(content) == error


@pytest.mark.parametrize("zone", ["Europe", "/etc/passwd", "../UTC", "America/", "Europe/Berlin\\u0000", "\\u00e9"])
def test_what_is_no_zone_is_an_error(zone):
    assert refused(f'[zones]\ncustomer = "{zone}"\n').startswith(
        "stedi.toml: zones.customer: expected the name of an IANA"
    )


@pytest.mark.parametrize(
    "content", ["[limits\n", "digits\n", "[limits]\nkeys = 1\nkeys = 2\n", "[limits]\nkeys = 0x\n"]
)
def test_what_is_not_toml_is_an_error_with_its_line(content):
    assert re.match(
        r"stedi\.toml: expected TOML, got: .* \(at (line \d+, column \d+|end of document)\)$", refused(content)
    )


def test_what_is_not_utf_8_is_an_error():
    assert refused(b"# M\xfcnchen\n") == "stedi.toml: expected UTF-8, got other bytes at 3"


def test_a_file_may_come_from_windows():
    assert load(b"\xef\xbb\xbf[limits]\r\nkeys = 5\r\n") == Settings(replace(Limits(), keys=5))


def test_a_file_that_is_named_goes_before_the_environment_and_that_before_the_folder(folder, monkeypatch):
    for name, keys in (("stedi.toml", 1), ("environment.toml", 2), ("option.toml", 3)):
        (folder / name).write_text(f"[limits]\nkeys = {keys}\n")
    assert Settings.load().limits.keys == 1
    monkeypatch.setenv("STEDI_CONFIG", "environment.toml")
    assert Settings.load().limits.keys == 2
    assert Settings.load(Path("option.toml")).limits.keys == 3
    monkeypatch.setenv("STEDI_CONFIG", "")
    assert Settings.load().limits.keys == 1


def test_a_file_that_is_named_must_be_there(folder, monkeypatch):
    with pytest.raises(StediError, match=r"^option\.toml: expected a file, got No such file or directory$"):
        Settings.load(Path("option.toml"))
    monkeypatch.setenv("STEDI_CONFIG", str(folder))
    with pytest.raises(SettingsError, match=r": expected a file, got Is a directory$"):
        Settings.load()


ZONES = st.dictionaries(
    st.sampled_from(["customer", "accelerometer", "step_trainer"]), st.sampled_from(["UTC", "Asia/Tokyo"])
)
SETTINGS = st.builds(Settings, st.builds(Limits, keys=st.integers(1, 2), digits=st.integers(40, 41)), ZONES)


@given(SETTINGS, SETTINGS)
def test_settings_are_values(one, other):
    again = pickle.loads(pickle.dumps(one))  # noqa: S301 (its own)
    assert (again, hash(again)) == (one, hash(one))
    assert (one == other) == (one.limits == other.limits and dict(one.zones) == dict(other.zones))
    assert len({one, again, other}) == (1 if one == other else 2)
