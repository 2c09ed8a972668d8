"""`stedi.toml`: what it says holds, and what it says wrongly is an error that helps (docs/records.md, "Limits")."""

import os
import pickle
import re
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paths import ROOT

from stedi_common import cli
from stedi_common.errors import SettingsError, StediError
from stedi_common.settings import OPTIONS, RANGES, Limits, ReaderSettings, Settings, with_options
from stedi_common.settings import load as load_settings

KEYS = (*OPTIONS, "limits", "zones", "project")
DOCS = ROOT / "docs" / "records.md"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty working folder, and nothing in the environment."""
    monkeypatch.chdir(tmp_path)
    for variable in [name for name in os.environ if name.startswith("STEDI_")]:
        monkeypatch.delenv(variable)
    return tmp_path


def load(content):
    file = Path("stedi.toml")
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_settings()


def refused(content):
    with pytest.raises(SettingsError) as error:
        load(content)
    return str(error.value)


def test_the_defaults_are_those_of_the_document():
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+)( MiB)? \|", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    documented = {key: int(number.replace(",", "")) * (2**20 if unit else 1) for key, number, unit in rows}
    assert documented == asdict(Limits())


def test_without_a_file_there_are_defaults():
    assert load_settings() == Settings() == Settings(limits=Limits(), zones={})


@pytest.mark.parametrize("content", ["", "[limits]\n", "[zones]\n", "# nothing yet\n"])
def test_what_a_file_does_not_say_is_the_default(content):
    assert load(content) == Settings()


@pytest.mark.parametrize("key", [field.name for field in fields(Limits)])
def test_every_limit_is_a_key(key):
    least, greatest = RANGES[key]
    for value in (least, greatest):
        assert load(f"[limits]\n{key} = {value}\n") == Settings(limits=replace(Limits(), **{key: value}))
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
            "stedi.toml: limits: expected only line_bytes, nesting, keys, digits, ratio, damage, got 'line_byte'"
            "\nhint: did you mean line_bytes?",
        ),
        ("[limts]\n", f"stedi.toml: expected only {', '.join(KEYS)}, got 'limts'\nhint: did you mean limits?"),
        ("colour = 1\n", f"stedi.toml: expected only {', '.join(KEYS)}, got 'colour'"),
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
    assert load(b"\xef\xbb\xbf[limits]\r\nkeys = 5\r\n") == Settings(limits=replace(Limits(), keys=5))


def test_a_file_that_is_named_goes_before_the_environment_and_that_before_the_folder(folder, monkeypatch):
    for name, keys in (("stedi.toml", 1), ("environment.toml", 2), ("option.toml", 3)):
        (folder / name).write_text(f"[limits]\nkeys = {keys}\n")
    assert load_settings().limits.keys == 1
    monkeypatch.setenv("STEDI_CONFIG", "environment.toml")
    assert load_settings().limits.keys == 2
    assert load_settings({"config": Path("option.toml")}).limits.keys == 3
    monkeypatch.setenv("STEDI_CONFIG", "")
    assert load_settings().limits.keys == 1


def test_a_file_that_is_named_must_be_there(folder, monkeypatch):
    with pytest.raises(StediError, match=r"^option\.toml: expected a file, got No such file or directory$"):
        load_settings({"config": Path("option.toml")})
    monkeypatch.setenv("STEDI_CONFIG", str(folder))
    with pytest.raises(SettingsError, match=r": expected a file, got Is a directory$"):
        load_settings()


ZONES = st.dictionaries(
    st.sampled_from(["customer", "accelerometer", "step_trainer"]), st.sampled_from(["UTC", "Asia/Tokyo"])
)
SETTINGS = st.builds(ReaderSettings, st.builds(Limits, keys=st.integers(1, 2), digits=st.integers(40, 41)), ZONES)


@given(SETTINGS, SETTINGS)
def test_settings_are_values(one, other):
    again = pickle.loads(pickle.dumps(one))  # noqa: S301 (its own)
    assert (again, hash(again)) == (one, hash(one))
    assert (one == other) == (one.limits == other.limits and dict(one.zones) == dict(other.zones))
    assert len({one, again, other}) == (1 if one == other else 2)


# Options

#: Of each option, three values as text: of the file, of the environment, of the command line.
GIVEN = {
    "lake": ("/a", "/b", "/c"),
    "landing": ("/a", "/b", "s3://c"),
    "engine": ("embedded", "spark", "embedded"),
    "embedded_bytes": ("1", "500 MB", "4GB"),
    "database_prefix": ("a", "b", "c"),
    "catalog": ("a", "b", "c"),
    "profile": ("a", "b", "c"),
    "endpoint_url": ("http://a", "http://b", "http://c"),
    "consent": ("ever", "as-of", "ever"),
    "pairing": ("timestamp", "owner", "timestamp"),
    "environment": ("dev", "test", "prod"),
    "pseudonym_key_file": ("/a", "/b", "/c"),
    "pseudonym_key_secret": ("a", "b", "c"),
    "rebuild": ("true", "false", "true"),
    "umask": ("027", "022", "077"),
}


def test_every_option_is_tried():
    assert {*GIVEN, "defective_serials"} == set(OPTIONS)


@pytest.mark.parametrize("name", GIVEN)
def test_the_command_line_goes_before_the_environment_and_that_before_the_file(name, monkeypatch):
    in_file, in_environment, typed = GIVEN[name]
    read = OPTIONS[name].parse
    Path("stedi.toml").write_text(f"{name} = {in_file if name == 'rebuild' else repr(in_file)}\n")
    assert getattr(load_settings(), name) == read("", in_file)
    monkeypatch.setenv(f"STEDI_{name.upper()}", in_environment)
    assert getattr(load_settings(), name) == read("", in_environment)
    found = load_settings({name: typed})
    assert getattr(found, name) == read("", typed)
    assert found.explicit == {name}
    monkeypatch.setenv(f"STEDI_{name.upper()}", "")
    assert getattr(load_settings(), name) == read("", in_file)


@pytest.mark.parametrize(
    ("given", "size"), [(0, 0), ("7", 7), ("7B", 7), ("500MB", 500_000_000), ("2 gb", 2 * 10**9), ("1TB", 10**12)]
)
def test_bytes_may_have_a_unit(given, size):
    assert load_settings({"embedded_bytes": given}).embedded_bytes == size


@pytest.mark.parametrize("given", ["", "GB", "-1", "1.5GB", "1GiB", "1" * 16, True, "1 2"])
def test_other_texts_are_no_bytes(given):
    with pytest.raises(SettingsError, match=r"^--embedded-bytes: expected a size such as 500MB or 4GB, got "):
        load_settings({"embedded_bytes": given})


@pytest.mark.parametrize(
    ("variable", "near"),
    [("STEDI_LAK", "STEDI_LAKE"), ("STEDI_CONSNT", "STEDI_CONSENT"), ("STEDI_LOGFILE", "STEDI_LOG_FILE")],
)
def test_an_unknown_variable_is_an_error_that_names_the_nearest(variable, near, monkeypatch):
    monkeypatch.setenv(variable, "x")
    with pytest.raises(
        SettingsError, match=f"^{variable}: expected a variable that is known\nhint: did you mean {near}"
    ):
        load_settings()


@pytest.mark.parametrize("variable", ["STEDI_MEMORY", "STEDI_DEBUG", "STEDI_LOG_FILE", "STEDI_PROJECT"])
def test_variables_of_other_parts_are_known(variable, monkeypatch):
    monkeypatch.setenv(variable, "x")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("engine = 'steam'", "stedi.toml: engine: expected one of auto, embedded, spark, got 'steam'"),
        ("consent = 'asof'", "stedi.toml: consent: expected one of as-of, ever, got 'asof'\nhint: did you mean as-of?"),
        ("rebuild = 'perhaps'", "stedi.toml: rebuild: expected true or false, got 'perhaps'"),
        ("lake = 5", "stedi.toml: lake: expected a text, got 5"),
        ("lake = ''", "stedi.toml: lake: expected a folder or an S3 URI, got nothing"),
        ("defective_serials = [5]", "stedi.toml: defective_serials: expected a file or a list of serial numbers, got "),
        ("database_prefix = 'a.b'", "stedi.toml: database_prefix: expected ASCII letters, digits, _ and -, got 'a.b'"),
        ('landing = "a\\u0000"', "stedi.toml: landing: expected a text without the character 0, got 'a\\x00'"),
        (f"embedded_bytes = {'9' * 5000}", "stedi.toml: expected TOML, got a number with too many digits"),
        (f"lake = {'[' * 5000}", "stedi.toml: expected TOML, got brackets within brackets without end"),
        (
            "[project]\ncontracts = 'schemas'",
            "stedi.toml: project.contracts: expected 'contracts', beside this file, got 'schemas'",
        ),
        (
            "umask = '077x'",
            "stedi.toml: umask: expected an octal umask that lets only the owner write, such as 077, got ",
        ),
        ("umask = '002'", "stedi.toml: umask: expected an octal umask that lets only the owner write"),
        ("umask = '777'", "stedi.toml: umask: expected an octal umask that lets only the owner write"),
        ("umask = true", 'stedi.toml: umask: expected an octal umask in quotes, such as "077", got True'),
        # Read as a number it is 033, which lets everybody read.
        ("umask = 27", 'stedi.toml: umask: expected an octal umask in quotes, such as "077", got 27'),
        ("[project]\ncontract = 'x'", "stedi.toml: project: expected only contracts, tables, got 'contract'"),
    ],
    ids=range(17),
)
def test_a_value_that_is_not_understood_is_an_error_with_its_place(line, error):
    assert refused(f"{line}\n").startswith(error)


def test_a_list_that_cannot_be_read_is_an_error_where_the_policy_is_needed():
    """A run deletes withdrawn rows without it."""
    for settings in (load("defective_serials = 'none.txt'\n"), load_settings({"defective_serials": "s3://none/"})):
        with pytest.raises(SettingsError, match=r"none\.txt|s3://none/"):
            _ = settings.policy
    with pytest.raises(SettingsError, match=r"none\.txt"):
        with_options(Settings(), {"defective_serials": "none.txt"})
    assert with_options(settings, {"defective_serials": ["sn-1"]}).policy.defective_serials == {"sn-1"}
    assert load_settings({"defective_serials": []}).policy.defective_serials == frozenset()


def test_a_misspelled_environment_is_no_environment_without_guard(monkeypatch):
    monkeypatch.setenv("STEDI_ENVIRONMENT", "prd")
    with pytest.raises(SettingsError, match=r"^STEDI_ENVIRONMENT: expected one of .*\nhint: did you mean prod\?"):
        load_settings()


def test_paths_of_a_file_are_relative_to_it(folder):
    (folder / "sub").mkdir()
    (folder / "sub" / "my.toml").write_text('lake = "lake"\nlanding = "s3://drops"\ndefective_serials = "list"\n')
    (folder / "sub" / "list").write_text("sn-1\n")
    found = load_settings({"config": "sub/my.toml"})
    assert (found.lake, found.landing, found.defective_serials) == ("sub/lake", "s3://drops", {"sn-1"})


def test_a_file_may_hold_the_list_of_serial_numbers_itself():
    assert load("defective_serials = ['sn-1', 'sn-2']\n").defective_serials == {"sn-1", "sn-2"}


@pytest.mark.parametrize("source", ["argument", "environment", "file"])
def test_the_list_of_serial_numbers_may_lie_in_s3(monkeypatch, source):
    """There a job finds it: an argument of a job may be seen by who may not see a serial number."""
    uri, options, file = "s3://artifacts/serials.txt", {}, ""
    if source == "argument":
        options = {"defective_serials": uri}
    elif source == "environment":
        monkeypatch.setenv("STEDI_DEFECTIVE_SERIALS", uri)
    else:
        file = f"defective_serials = '{uri}'\n"
    Path("stedi.toml").write_text(file)
    content = {uri: b"sn-1\r\nsn-2\r\n", "stedi.toml": file.encode()}
    assert load_settings(options, read=content.__getitem__).defective_serials == {"sn-1", "sn-2"}


def test_a_project_is_no_setting():
    assert load('[project]\ncontracts = "contracts"\ntables = "tables.py"\n') == Settings()


def test_the_pseudonym_key_is_in_one_place(monkeypatch):
    with pytest.raises(SettingsError, match=r"^--pseudonym-key-file and --pseudonym-key-secret: expected one of them"):
        load_settings({"pseudonym_key_file": "a", "pseudonym_key_secret": "b"})
    monkeypatch.setenv("STEDI_PSEUDONYM_KEY_FILE", "a")
    found = load_settings({"pseudonym_key_secret": "b"})
    assert (found.pseudonym_key_file, found.pseudonym_key_secret) == (None, "b")


def test_the_command_line_takes_the_same_from_every_source(monkeypatch, capsys):
    """The lake is named where `stedi status` does not find it."""
    for words, said in ([[], "of the file"], [["--lake", "typed"], "typed"]):
        Path("stedi.toml").write_text('lake = "of the file"\n')
        monkeypatch.setattr("sys.argv", ["stedi", "status", *words])
        with pytest.raises(SystemExit, match="1"):
            cli.main()
        assert f"/{said}: expected a folder with catalog.db" in capsys.readouterr().err
