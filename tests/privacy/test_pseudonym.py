"""The pseudonym key (rule 10): made once, outside the lake, for its owner's eyes only; without one nothing is read."""

import errno
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import boto3
import pytest
from moto import mock_aws
from support.drops import at, customer, landing, reading, step
from support.lakes import play, rows, run, without_hard_links
from support.processes import PATIENCE

from stedi_common.cli import main
from stedi_common.engines import connect
from stedi_common.errors import KeyMissingError
from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey, local_key, local_key_path, read_key, secret_key
from stedi_common.rules.policy import Policy

HEX = "0123456789abcdef" * 4
PAIR = landing(
    [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")],
    [reading("ann@example.org", at("09:00"))],
    [step("sn-1", at("09:00"))],
)


@pytest.fixture
def key_file(tmp_path):
    path = tmp_path / "the key"
    path.write_text(HEX + "\n")
    path.chmod(0o600)
    return path


@pytest.mark.rule(10)
def test_the_first_use_makes_a_key_for_its_owners_eyes():
    made = local_key(may_make=True)
    assert stat.S_IMODE(local_key_path().stat().st_mode) == 0o600
    assert len(made.secret) == 32


def test_the_second_use_reads_it():
    assert local_key(may_make=True) == local_key(may_make=True)


def test_the_first_use_leaves_one_file():
    local_key(may_make=True)
    assert list(local_key_path().parent.iterdir()) == [local_key_path()]


@pytest.mark.parametrize("number", [None, errno.EPERM, errno.EOPNOTSUPP])
def test_first_uses_at_once_agree(monkeypatch, number):
    """Also on a file system that has no hard links, and says so by this error."""
    if number:
        without_hard_links(monkeypatch, number)
    together = Barrier(8, timeout=PATIENCE)

    def use(_):
        together.wait()
        return local_key(may_make=True)

    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(use, range(8)))
    assert keys == [keys[0]] * 8


def test_who_reads_before_the_writing_is_done_finds_no_half_key(monkeypatch):
    """What is seen at the key's place, at the moment it appears."""
    seen = []
    path_type = type(local_key_path())
    link = path_type.hardlink_to
    monkeypatch.setattr(path_type, "hardlink_to", lambda path, to: (link(path, to), seen.append(read_key(path))))
    assert [local_key(may_make=True)] == seen


def test_a_home_that_cannot_be_written_is_a_clear_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    with pytest.raises(KeyMissingError, match=r"expected to write one at .*, got: "):
        local_key(may_make=True)


def test_the_key_of_a_file(key_file):
    assert read_key(key_file) == PseudonymKey(bytes.fromhex(HEX))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o610])
def test_a_file_that_others_may_use_is_none(key_file, mode):
    key_file.chmod(mode)
    with pytest.raises(KeyMissingError, match=f"expected mode 0600 on .*, got {mode:04o}\nhint: chmod 600 '.*'"):
        read_key(key_file)


@pytest.mark.parametrize("content", ["", HEX[:-2], HEX + "00", HEX[:-1], "x" * 64, "\u00e4" * 64])
def test_a_file_with_something_else_is_none(key_file, content):
    key_file.write_text(content)
    with pytest.raises(KeyMissingError, match=r"expected 64 hex digits in .*, got") as error:
        read_key(key_file)
    assert not content or content not in str(error.value)


def test_a_folder_is_none(tmp_path):
    with pytest.raises(KeyMissingError, match=r"expected a file to read at .*, got: Is a directory"):
        read_key(tmp_path)


@pytest.mark.parametrize("read", [lambda key: read_key(Path(key)), secret_key], ids=["file", "secret"])
@pytest.mark.rule(10)
def test_a_key_in_place_of_its_name_is_not_told(read):
    with pytest.raises(KeyMissingError, match="which may be the key itself") as error:
        read("ab" * 32)
    assert "abab" not in str(error.value)


def test_a_missing_file_is_not_made(tmp_path):
    with pytest.raises(
        KeyMissingError, match=r"expected a file at .*/mine, got none\nhint: restore the key of the lake"
    ):
        read_key(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("command", ["land", "run", "demo"])
@pytest.mark.rule(10)
def test_without_the_named_key_no_lake_is_made(command, tmp_path, monkeypatch, capsys):
    lake, missing = tmp_path / "lake", tmp_path / "missing"
    monkeypatch.setattr("sys.argv", ["stedi", command, "--lake", str(lake), "--key-file", str(missing)])
    with pytest.raises(SystemExit, match="1"):
        main()
    assert f"pseudonym key: expected a file at {missing}, got none" in capsys.readouterr().err
    assert not lake.exists()


@pytest.fixture
def secrets_manager(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield boto3.client("secretsmanager")


def test_the_key_of_a_secret(secrets_manager):
    """By its name, or by its ARN."""
    made = secrets_manager.create_secret(Name="stedi/key", SecretString=HEX + "\n")
    assert secret_key("stedi/key") == secret_key(made["ARN"]) == PseudonymKey(bytes.fromhex(HEX))


def test_the_key_of_a_secret_that_terraform_made(secrets_manager):
    """Secrets Manager makes passwords: one of 64 that may have nothing but the digits of hex numbers is a key."""
    others = "ghijklmnopqrstuvwxyz"
    made = secrets_manager.get_random_password(
        PasswordLength=64, ExcludeUppercase=True, ExcludePunctuation=True, ExcludeCharacters=others
    )
    secrets_manager.create_secret(Name="stedi/key", SecretString=made["RandomPassword"])
    assert secret_key("stedi/key").secret.hex() == made["RandomPassword"]


def test_a_missing_secret_is_a_clear_error(secrets_manager):
    with pytest.raises(KeyMissingError, match="expected the secret stedi/key, got ResourceNotFoundException"):
        secret_key("stedi/key")


@pytest.mark.parametrize("content", [{"SecretString": "hunter2"}, {"SecretBinary": bytes.fromhex(HEX)}])
def test_a_secret_with_something_else_is_a_clear_error(secrets_manager, content):
    secrets_manager.create_secret(Name="stedi/key", **content)
    with pytest.raises(KeyMissingError, match="expected 64 hex digits in stedi/key, got something else"):
        secret_key("stedi/key")


@pytest.mark.parametrize("show", [repr, str, "{0!r:}".format, lambda key: repr({"key": [key]})])
def test_a_key_shows_nothing_of_itself(key, show):
    shown = show(key)
    assert key.secret.hex() not in shown
    assert repr(key.secret) not in shown


def test_what_a_key_is_told_by_says_nothing_of_it(key):
    assert key.id not in key.secret.hex()
    hashes = (key.content_key.hex(), key.pseudonym(""), key.file_digest(""), key.folder_digest(""))
    assert len({key.id, *(each[:16] for each in hashes)}) == 5


@pytest.mark.rule(10)
def test_another_key_makes_other_pseudonyms(tmp_path, key):
    engine = connect("embedded", Lake.at(str(tmp_path / "lake")))
    other = PseudonymKey(bytes(range(1, 33)))
    play(engine, tmp_path / "drops", [PAIR], [at("10:00")], Policy(), key)
    before = rows(engine, "machine_learning_curated", ["pseudonym"])
    outcomes = run(engine, Policy(), other, rebuild=True)
    after = rows(engine, "machine_learning_curated", ["pseudonym"])
    assert outcomes[-1].changed
    assert [list(before), list(after)] == [
        [(key.pseudonym("ann@example.org"),)],
        [(other.pseudonym("ann@example.org"),)],
    ]
