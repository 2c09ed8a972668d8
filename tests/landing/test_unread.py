"""A file that no landing could read may hold a withdrawal, so each run names it as unread, until it is read or gone."""

import json
import os
import re
import shutil
from datetime import datetime, timedelta
from pathlib import Path
from unittest import mock

import pytest
from support.drops import landing
from support.lakes import Dying, KilledError, land, opening, rows, run, unreadable, write
from support.paths import ROOT
from support.whole_files import pieces_of
from support.withdrawals import ANN, ANN_WITHDRAWS, ARRIVAL, CONSENTING, DAYS, record

from stedi_common import landing as landing_module
from stedi_common.landing import land as landing_of
from stedi_common.landing.landed_files import DISMISSED, LANDED_FILES
from stedi_common.landing.unread import UnreadFiles, dismiss_unread, unread_files
from stedi_common.records import UNREAD_REASONS, Reader, folders
from stedi_common.rules.policy import Policy
from stedi_common.settings import Limits, ReaderSettings

LATER = ARRIVAL + timedelta(days=1)
WITHDRAWAL = "customer/second.json"
RECORDS = ROOT / "docs" / "records.md"


@pytest.fixture
def blocked(tmp_path):
    """A landing folder in which the withdrawal is a link that cannot be followed, and the file that it leads to."""
    write(tmp_path / "drops", CONSENTING)
    write(tmp_path / "elsewhere", ANN_WITHDRAWS)
    (tmp_path / "drops" / WITHDRAWAL).symlink_to(tmp_path / "elsewhere" / WITHDRAWAL)
    return tmp_path / "drops"


def mended(folder: Path) -> None:
    """The withdrawal can be read."""
    (folder / WITHDRAWAL).unlink(missing_ok=True)
    write(folder, ANN_WITHDRAWS)


def names_of(found: UnreadFiles | None) -> list[str]:
    return [each.file for each in found.files] if found else []


def test_a_file_that_cannot_be_read_is_unread_since_it_was_found(engine, blocked, key):
    land(engine, blocked, key, ARRIVAL)
    land(engine, blocked, key, LATER)
    found = unread_files(engine)
    assert isinstance(found, UnreadFiles)
    assert [(each.file, each.reason, each.since) for each in found.files] == [(WITHDRAWAL, "link_outside", ARRIVAL)]
    (error,) = found.errors
    assert (error.exit_code, "since 2024-04-01 00:00 UTC" in str(error)) == (6, True)


def test_a_file_of_the_size_of_a_known_one_that_cannot_be_read_is_unread(engine, tmp_path, key, monkeypatch):
    """It would be read to find out whether its content is known. All other files land."""
    write(tmp_path / "drops", CONSENTING)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    os.utime(tmp_path / "drops" / "customer" / "first.json", (1_700_000_000, 1_700_000_000))
    write(tmp_path / "drops", ANN_WITHDRAWS)
    with unreadable(monkeypatch, "customer/first.json"):
        landed = land(engine, tmp_path / "drops", key, LATER)[0]
    assert (landed.files, landed.unread) == (1, 1)
    assert [(each.file, each.reason) for each in unread_files(engine).files] == [("customer/first.json", "unreadable")]
    land(engine, tmp_path / "drops", key, LATER + timedelta(days=1))
    assert unread_files(engine) is None
    run(engine, Policy(), key)
    assert ANN not in {email for (email,) in rows(engine, "customer_trusted", ["email"])}


def test_it_is_unread_no_longer_when_it_has_landed(engine, blocked, key):
    land(engine, blocked, key, ARRIVAL)
    (blocked / WITHDRAWAL).unlink()
    write(blocked, ANN_WITHDRAWS)
    land(engine, blocked, key, LATER)
    assert unread_files(engine) is None
    run(engine, Policy(), key)
    assert ANN not in {email for (email,) in rows(engine, "customer_trusted", ["email"])}


def test_it_is_unread_though_a_file_of_equal_name_landed_from_another_folder(engine, blocked, key):
    land(engine, blocked, key, ARRIVAL)
    write(blocked.parent / "another", landing([record("cem@example.org", 1, "sn-3", consents=True)], name="second"))
    land(engine, blocked.parent / "another", key, LATER)
    assert names_of(unread_files(engine)) == [WITHDRAWAL]
    land(engine, blocked, key, LATER)
    assert names_of(unread_files(engine)) == [WITHDRAWAL]


def test_a_file_that_is_unread_in_two_folders_is_so_until_it_has_landed_from_both(engine, blocked, key):
    another = blocked.parent / "another"
    write(another, CONSENTING)
    (another / WITHDRAWAL).symlink_to(blocked.parent / "elsewhere" / WITHDRAWAL)
    land(engine, blocked, key, ARRIVAL)
    land(engine, another, key, LATER)
    assert names_of(unread_files(engine)) == [WITHDRAWAL] * 2
    for folder, left in ((another, [WITHDRAWAL]), (blocked, [])):
        (folder / WITHDRAWAL).unlink()
        write(folder, ANN_WITHDRAWS)
        land(engine, folder, key, LATER)
        assert names_of(unread_files(engine)) == left


def test_it_is_the_same_folder_under_another_path(engine, blocked, key, monkeypatch):
    land(engine, blocked, key, ARRIVAL)
    mended(blocked)
    (blocked.parent / "link").symlink_to(blocked)
    monkeypatch.chdir(blocked.parent)
    land(engine, Path("link"), key, LATER)
    assert unread_files(engine) is None


def test_it_is_unread_no_longer_when_it_has_content_that_had_landed(engine, blocked, key):
    mended(blocked)
    land(engine, blocked, key, ARRIVAL)
    (blocked / WITHDRAWAL).unlink()
    (blocked / WITHDRAWAL).symlink_to(blocked.parent / "elsewhere" / WITHDRAWAL)
    land(engine, blocked, key, LATER)
    assert unread_files(engine)
    mended(blocked)
    assert [each.files for each in land(engine, blocked, key, LATER)] == [0, 0, 0]
    assert unread_files(engine) is None


def test_a_file_of_equal_size_and_time_in_another_folder_does_not_count_for_it(engine, blocked, key, monkeypatch):
    """In S3, times are whole seconds."""
    monkeypatch.setattr(folders, "_instant", lambda _: ARRIVAL)
    land(engine, blocked, key, ARRIVAL)
    (content,) = ANN_WITHDRAWS.values()
    write(blocked.parent / "another", CONSENTING | {WITHDRAWAL: content.replace(b"ann@", b"cem@")})
    land(engine, blocked.parent / "another", key, LATER)
    mended(blocked)
    assert land(engine, blocked, key, LATER)[0].files == 1
    assert unread_files(engine) is None


def test_it_is_unread_until_a_killed_landing_has_removed_its_row(blocked, key, tmp_path):
    with opening() as open_:
        engine = open_("embedded", tmp_path / "lake")
        land(engine, blocked, key, ARRIVAL)
        mended(blocked)
        with pytest.raises(KilledError):
            land(Dying(engine, 3), blocked, key, LATER)  # it has appended the records and the version
        assert unread_files(engine)
        assert land(engine, blocked, key, LATER)[0].files == 0
        assert unread_files(engine) is None


def test_its_reason_changes_in_one_commit_and_it_is_unread_since_it_was_found(blocked, key, tmp_path):
    with opening() as open_:
        engine = open_("embedded", tmp_path / "lake")
        land(engine, blocked, key, ARRIVAL)
        (blocked / WITHDRAWAL).unlink()
        (blocked / WITHDRAWAL).symlink_to("second.json")
        write(blocked, landing([record("cem@example.org", 1, "sn-3", consents=True)], name="third"))
        with pytest.raises(KilledError):
            land(Dying(engine, 2), blocked, key, LATER)
        (file,) = unread_files(engine).files
        assert (file.reason, file.since) == ("link_loop", ARRIVAL)


def test_a_folder_that_could_not_be_read_is_unread_until_its_files_land(engine, blocked, key):
    (blocked / WITHDRAWAL).unlink()
    (blocked / "customer" / "more").symlink_to(blocked.parent / "elsewhere")
    land(engine, blocked, key, ARRIVAL)
    assert names_of(unread_files(engine)) == ["customer/more"]
    (blocked / "customer" / "more").unlink()
    write(blocked / "customer" / "more", ANN_WITHDRAWS)
    land(engine, blocked, key, LATER)
    assert unread_files(engine) is None


@pytest.mark.parametrize("files", [{}, landing([record("cem@example.org", 1, "sn-3", consents=True)], name="first")])
def test_it_is_unread_though_an_empty_volume_or_another_one_is_mounted_at_its_folder(engine, blocked, key, files):
    land(engine, blocked, key, ARRIVAL)
    blocked.rename(blocked.parent / "not-mounted")
    write(blocked, files)
    land(engine, blocked, key, LATER)
    assert names_of(unread_files(engine)) == [WITHDRAWAL]


def test_it_is_unread_though_a_pipe_is_there_and_no_file_that_has_landed(engine, blocked, key):
    land(engine, blocked, key, ARRIVAL)
    blocked.rename(blocked.parent / "not-mounted")
    (blocked / "customer").mkdir(parents=True)
    os.mkfifo(blocked / WITHDRAWAL)
    land(engine, blocked, key, LATER)
    assert names_of(unread_files(engine)) == [WITHDRAWAL]


@pytest.mark.parametrize("is_known", [True, False])
def test_it_is_unread_though_a_killed_landing_of_another_folder_is_completed(blocked, key, tmp_path, is_known):
    another = blocked.parent / "another"
    with opening() as open_:
        engine = open_("embedded", tmp_path / "lake")
        land(engine, blocked, key, ARRIVAL)
        if not is_known:
            without_folders(engine)
        write(another, CONSENTING | ANN_WITHDRAWS)
        with pytest.raises(KilledError):
            land(Dying(engine, 2), another, key, LATER)  # it has appended the records
        land(engine, another, key, LATER + timedelta(days=1))
        assert names_of(unread_files(engine)) == ([WITHDRAWAL] if is_known else [])


def test_what_breaks_off_in_a_landing_of_first_arrivals_stays_unread(blocked, key, tmp_path, monkeypatch):
    with opening() as open_:
        engine = open_("embedded", tmp_path / "lake")
        land(engine, blocked, key, ARRIVAL)
        mended(blocked)
        with pytest.raises(KilledError):
            land(Dying(engine, 2), blocked, key, LATER)
        real = landing_module._Landing._staged

        def staged(self):
            monkeypatch.setattr(folders, "pieces", mock.Mock(side_effect=OSError))
            return real(self)

        monkeypatch.setattr(landing_module._Landing, "_staged", staged)
        assert land(engine, blocked, key, LATER + timedelta(days=1))[0].unread == 1
        assert names_of(unread_files(engine)) == [WITHDRAWAL]


def without_folders(engine) -> None:
    """The table as an earlier version has written it."""
    found = engine.collect(engine.read(LANDED_FILES, engine.head(LANDED_FILES)))
    changed = [row | ({"sha256": ""} if row["skipped"] else {}) for row in found]
    engine.replace(LANDED_FILES, engine.frame(LANDED_FILES, changed), engine.head(LANDED_FILES), {})


def test_a_file_of_an_earlier_version_is_unread_until_one_of_its_name_has_landed(engine, blocked, key):
    (blocked / "customer" / "notes.pdf").touch()
    land(engine, blocked, key, ARRIVAL)
    without_folders(engine)
    assert names_of(unread_files(engine)) == [WITHDRAWAL]
    before = rows(engine, LANDED_FILES.name, ["source_file", "skipped"])
    land(engine, blocked, key, LATER)  # which may be another folder
    found = rows(engine, LANDED_FILES.name, ["source_file", "skipped"]) - before
    assert found == {(WITHDRAWAL, "link_outside"): 1}
    (blocked / WITHDRAWAL).unlink()
    land(engine, blocked, key, LATER + timedelta(days=1))
    assert names_of(unread_files(engine)) == [WITHDRAWAL]
    write(blocked, ANN_WITHDRAWS)
    land(engine, blocked, key, LATER + timedelta(days=2))
    assert unread_files(engine) is None
    land(engine, blocked, key, LATER + timedelta(days=3))
    assert {row[:1] for row in rows(engine, LANDED_FILES.name, ["source_file", "skipped"]) if row[1]} == {
        ("customer/notes.pdf",)
    }


def dismissed(engine) -> list[str]:
    return [name for name, reason in rows(engine, LANDED_FILES.name, ["source_file", "skipped"]) if reason == DISMISSED]


def test_a_dismissed_file_keeps_its_row(engine, blocked, key):
    land(engine, blocked, key, ARRIVAL)
    assert (names_of(dismiss_unread(engine)), dismissed(engine)) == ([WITHDRAWAL], [WITHDRAWAL])
    assert (unread_files(engine), dismiss_unread(engine)) == (None, None)
    (blocked / WITHDRAWAL).unlink()
    land(engine, blocked, key, LATER)
    assert (unread_files(engine), dismissed(engine)) == (None, [WITHDRAWAL])


def test_a_dismissed_file_that_is_found_again_is_unread_since_then(engine, blocked, key):
    land(engine, blocked, key, ARRIVAL)
    dismiss_unread(engine)
    land(engine, blocked, key, LATER)
    (file,) = unread_files(engine).files
    assert (file.file, file.since, dismissed(engine)) == (WITHDRAWAL, LATER, [])


def test_a_dismissed_file_that_is_found_again_and_breaks_off_when_it_is_read_is_unread(
    engine, blocked, key, monkeypatch
):
    land(engine, blocked, key, ARRIVAL)
    dismiss_unread(engine)
    mended(blocked)
    monkeypatch.setattr(folders, "pieces", mock.Mock(side_effect=OSError))
    land(engine, blocked, key, LATER)
    assert names_of(unread_files(engine)) == [WITHDRAWAL]


def test_it_is_unread_no_longer_when_it_is_gone(engine, blocked, key):
    land(engine, blocked, key, ARRIVAL)
    before = rows(engine, LANDED_FILES.name)
    (blocked / WITHDRAWAL).unlink()
    land(engine, blocked, key, LATER)
    assert unread_files(engine) is None
    gone = before - rows(engine, LANDED_FILES.name)
    assert [row[LANDED_FILES.names.index("source_file")] for row in gone] == [WITHDRAWAL]


def test_it_is_unread_though_its_folder_is_missing_for_a_night(engine, blocked, key):
    land(engine, blocked, key, ARRIVAL)
    (blocked / "customer").rename(blocked / "customer-not-mounted")
    for source in ("accelerometer", "step_trainer", "customer"):
        landing_of(engine, source, str(blocked), key, LATER)
    assert unread_files(engine)


def test_a_file_that_landed_and_cannot_be_read_now_is_unread(engine, blocked, key):
    (blocked / WITHDRAWAL).unlink()
    write(blocked, landing([record(ANN, 1, "sn-1", consents=True)], name="second"))
    land(engine, blocked, key, ARRIVAL)
    assert unread_files(engine) is None
    (blocked / WITHDRAWAL).unlink()
    (blocked / WITHDRAWAL).symlink_to(blocked.parent / "elsewhere" / WITHDRAWAL)
    land(engine, blocked, key, LATER)
    assert unread_files(engine)


def test_a_file_that_could_be_read_once_in_between_is_unread_again(engine, blocked, key):
    land(engine, blocked, key, ARRIVAL)
    (blocked / WITHDRAWAL).unlink()
    write(blocked, landing([record(ANN, 1, "sn-1", consents=True)], name="second"))
    land(engine, blocked, key, LATER)
    (blocked / WITHDRAWAL).unlink()
    (blocked / WITHDRAWAL).symlink_to(blocked.parent / "elsewhere" / WITHDRAWAL)
    land(engine, blocked, key, LATER + timedelta(days=1))
    (file,) = unread_files(engine).files
    assert (file.file, file.since) == (WITHDRAWAL, LATER + timedelta(days=1))


def test_a_file_that_is_skipped_for_another_reason_now_is_unread(engine, blocked, key):
    (blocked / WITHDRAWAL).unlink()
    os.mkfifo(blocked / WITHDRAWAL)
    land(engine, blocked, key, ARRIVAL)
    assert unread_files(engine) is None  # not a file, so no drop
    (blocked / WITHDRAWAL).unlink()
    (blocked / WITHDRAWAL).symlink_to(blocked.parent / "elsewhere" / WITHDRAWAL)
    land(engine, blocked, key, LATER)
    assert unread_files(engine)


@pytest.mark.parametrize("drops", [{}, landing([record("cem@example.org", 1, "sn-3", consents=True)], name="other")])
def test_it_is_unread_though_another_folder_landed_or_an_empty_one(engine, blocked, key, drops):
    land(engine, blocked, key, ARRIVAL)
    write(blocked.parent / "another", drops)
    land(engine, blocked.parent / "another", key, LATER)
    assert unread_files(engine)


@pytest.mark.parametrize("name", [".DS_Store", "readme.md", "second.json.tmp"])
def test_what_is_no_drop_is_not_unread(engine, blocked, key, name):
    (blocked / WITHDRAWAL).unlink()
    write(blocked, {f"customer/{name}": b"no drop"})
    land(engine, blocked, key, ARRIVAL)
    assert unread_files(engine) is None


@pytest.mark.parametrize(
    "damage",
    [b'{"email":"eve@example.org"\n"}\n', b'{"a":[1,{"email":"a@b.c"}{"email"\n', b'{}{}{"a":{"b":{"c":\n'],
    ids=repr,
)
@pytest.mark.parametrize("is_behind", [True, False])
def test_a_file_with_too_much_damage_is_unread_and_no_line_of_it_lands(engine, tmp_path, key, damage, is_behind):
    drops = tmp_path / "drops"
    write(drops, CONSENTING)
    withdraws = ANN_WITHDRAWS[WITHDRAWAL]
    write(drops, {WITHDRAWAL: withdraws + damage * 50 if is_behind else damage * 50 + withdraws})

    def landed(limit, at):
        return landing_of(engine, "customer", str(drops), key, at, settings=ReaderSettings(Limits(damage=limit)))

    first = landed(20, ARRIVAL)
    assert [(each["file"], each["reason"]) for each in first.skipped] == [(WITHDRAWAL, "too_damaged")]
    assert (first.files, first.unread, first.doubtful, first.rejected) == (1, 1, 0, 0)
    assert len(first.errors) == 1
    (file,) = unread_files(engine).files
    assert (file.file, file.reason, file.since) == (WITHDRAWAL, "too_damaged", ARRIVAL)
    assert landed(20, LATER).unread == 1

    raised = landed(10_000, LATER)
    assert (raised.files, raised.unread, raised.skipped) == (1, 0, ())
    assert raised.doubtful + raised.rejected
    assert unread_files(engine) is None


@pytest.mark.parametrize("damage", [b'{"email":"eve@example.org"\n', b'{}{}{"a":{"b":{"c":\n'], ids=repr)
def test_a_file_with_too_much_damage_is_not_read_on(engine, tmp_path, key, damage):
    write(tmp_path / "drops", {WITHDRAWAL: damage * 1_000})
    settings = ReaderSettings(Limits(damage=20))
    with pieces_of(100), mock.patch.object(Reader, "_parse", autospec=True, side_effect=Reader._parse) as parsed:
        landing_of(engine, "customer", str(tmp_path / "drops"), key, ARRIVAL, settings=settings)
    # Of about 250 blocks. It is read twice, and each of some threads may have taken another block.
    assert parsed.call_count < 40


def test_the_reasons_are_documented():
    """In docs/records.md, "Files"."""
    (documented,) = re.findall(
        r"skipped file is \*\*unread\*\*.*?: its reason is\s(.*?)\.", RECORDS.read_text(), re.DOTALL
    )
    assert set(re.findall(r"`(\w+)`", documented)) == set(UNREAD_REASONS)


def test_the_commands_say_what_is_unread(stedi, blocked):
    assert stedi("land", "--landing", blocked).code == 1
    ran = stedi("run")
    assert ran.code == 6
    assert re.search(rf"^unread since 20\S+ \S+ UTC \(link outside\): {WITHDRAWAL}$", ran.out, re.MULTILINE)
    assert "error: run: expected every file to have landed, got 1 unread file, the oldest since 20" in ran.err
    assert stedi("run", "customer_landing_to_trusted").code == 6
    status = {each["table"]: each["rows"] for each in json.loads(stedi("status", "--json").out)}
    assert status["curated.machine_learning_curated"] == 2 * len(DAYS)  # all else is computed

    (line,) = [each for each in json.loads(stedi("run", "--json").out) if each["job"] == "find_unread"]
    assert (line["unread"], line["files"][0]["file"]) == (1, WITHDRAWAL)
    assert datetime.fromisoformat(line["files"][0]["since"])

    (blocked / WITHDRAWAL).unlink()
    assert stedi("land", "--landing", blocked).code == 0
    assert stedi("run").code == 0


def test_run_dismiss_unread_dismisses_all_unread_files(stedi, blocked):
    stedi("land", "--landing", blocked)
    shutil.rmtree(blocked)
    assert "stedi run --dismiss-unread" in stedi("run").err
    assert stedi("run", "--consent", "ever", "--dismiss-unread").code == 1  # another policy is refused, and its acts
    ran = stedi("run", "--dismiss-unread")
    assert (ran.code, ran.err) == (0, "")
    assert re.search(rf"^dismissed, unread since 20\S+ \S+ UTC \(link outside\): {WITHDRAWAL}$", ran.out, re.MULTILINE)
    assert stedi("run").code == 0


def test_an_address_in_the_name_is_not_shown(stedi, blocked):
    (blocked / WITHDRAWAL).rename(blocked / "customer" / f"{ANN}.json")
    stedi("land", "--landing", blocked)
    ran = stedi("run")
    assert (ran.code, ANN in ran.out + ran.err) == (6, False)
