"""Full disks, other containers on the same lake, and damaged files: each command ends with what happened in one line.

Nothing is lost by it. When the cause is gone, the next commands make the tables what the oracle says.
"""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from random import Random

import pytest
from support.commands import Finished
from support.comparison import actual_tables, expected_tables
from support.containers import Commands, Disk, call, commands, container
from support.damages import Damage, deleted, files_of, overwritten, truncated
from support.histories import History
from support.lakes import opening, rows, write
from support.withdrawals import (
    ANN,
    ANN_WITHDRAWS,
    ARRIVAL,
    BOB_WALKS_ONCE,
    CONSENTING,
    WHOSE,
    changing_consents,
    whose,
)

from stedi_common.contracts import contract, names
from stedi_common.engines import connect
from stedi_common.errors import CommitConflictError, DamagedLakeError, StediError
from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy

Drops = dict[str, bytes]
#: Bytes of a disk that never gets full.
ROOM = 2**26
#: In the folder of the user's configuration.
KEY = "stedi/pseudonym.key"


@dataclass(frozen=True)
class Place:
    """A folder with drops and a lake, and the commands that run in it."""

    folder: Path
    key: PseudonymKey
    stedi: Commands

    @property
    def lake(self) -> Path:
        return self.folder / "disk" / "lake"

    def typed(self, command: str, **environment: str | Path) -> Finished:
        return self.stedi(*self.words(command), **environment)

    def words(self, command: str) -> tuple[str, ...]:
        """A command line."""
        of = ("--landing", "drops") if command in {"land", "demo"} else ()
        sql = ("SELECT * FROM curated.machine_learning_curated",) if command == "query" else ()
        return ("stedi", command, *sql, "--lake", "disk/lake", *of)

    def assert_done(self, *names: str, **environment: str | Path) -> None:
        for command in names:
            said = self.typed(command, **environment)
            assert (said.code, said.err) == (0, ""), (command, said)

    def assert_right(self, *nights: Drops, key: PseudonymKey | None = None) -> None:
        """The tables are what the oracle says."""
        with opening() as connect_to:
            made = actual_tables(connect_to("embedded", self.lake))
        assert made == expected_tables(History(nights, (ARRIVAL,) * len(nights)), Policy(), key or self.key)


def place(folder: Path, key: PseudonymKey, stedi: Commands) -> Place:
    (folder / "disk").mkdir(exist_ok=True)
    (folder / "config" / "stedi").mkdir(parents=True)
    file = folder / "config" / KEY
    file.touch(0o600)
    file.write_text(key.secret.hex())
    return Place(folder, key, stedi)


@pytest.fixture(scope="module")
def in_container() -> tuple[str, ...]:
    """What begins a container."""
    if prefix := container():
        return prefix
    pytest.skip("this machine lets no test make a container (unshare)")


@pytest.fixture(scope="module")
def boxed(in_container, tmp_path_factory, key) -> Iterator[Place]:
    """A folder and a container."""
    folder = tmp_path_factory.mktemp("boxed")
    with commands(folder, in_container, XDG_CONFIG_HOME=str(folder / "config")) as stedi:
        yield place(folder, key, stedi)


def assert_errors(said: Finished, *codes: int) -> None:
    """The command ended with 0 or one of these exit codes. Then it said why, each reason in a line with a hint."""
    assert said.code in (0, *codes), said
    lines = [line[:7] for line in said.err.splitlines()]
    assert lines == ["error: ", "hint:  "] * (len(lines) // 2), said
    assert bool(lines) == bool(said.code), said


# Full disks

#: Of room on the disk, from none to more than enough.
LEVELS = 30
NIGHTLY = ("land", "run", "maintain")


@dataclass(frozen=True)
class Grown:
    """A disk on which a lake has grown, and how many bytes each night took. `kept` is the lake of the first night."""

    disk: Disk
    kept: Path
    bytes: tuple[int, int]


@pytest.fixture(scope="module")
def grown(boxed) -> Grown:
    """The disk is not mounted. The drops of both nights are there."""
    disk, used = Disk(boxed.stedi, boxed.folder / "disk"), [0]
    disk.mount(ROOM)
    for drops in (CONSENTING, ANN_WITHDRAWS):
        write(boxed.folder / "drops", drops)
        boxed.assert_done("land", "run")
        used.append(disk.used)
        if drops == CONSENTING:
            disk.copy(boxed.lake, boxed.folder / "kept")
    disk.unmount()
    return Grown(disk, boxed.folder / "kept", (used[1], used[2] - used[1]))


def levels() -> list:
    """Of the whole range for each night; some in `make test`."""
    some = {(0, 0, NIGHTLY), (0, 11, ("demo",)), (1, 8, NIGHTLY), (1, 19, NIGHTLY)}
    return [
        pytest.param(
            *each, id=f"night-{each[0]}-{each[1]}-{each[2][0]}", marks=() if each in some else pytest.mark.long
        )
        for night in (0, 1)
        for level in range(LEVELS)
        for each in [(night, level, NIGHTLY), (night, level, ("demo",))]
    ]


@pytest.mark.parametrize(("night", "level", "typed"), levels())
def test_a_disk_that_gets_full(boxed, grown, night, level, typed):
    """It has room for a share of what the night brings. Every other disk also has the key and the temporary files."""
    disk, random = grown.disk, Random(f"{night} {level}")
    share = 1.25 * (level + random.random()) / LEVELS
    disk.mount(ROOM)
    try:
        if night:
            disk.copy(grown.kept, boxed.lake)
        around = all_on(disk, boxed, has_key=bool(night)) if level % 2 else {}
        disk.resize(disk.used + 4096 * int(share * grown.bytes[night] / 4096))
        codes = []
        for command in typed:
            said = boxed.typed(command, **around)
            assert_errors(said, 1)
            assert disk.names(".staging-*") == disk.names("stedi-scratch-*") == []
            codes.append(said.code)
        assert any(codes) or share > 0.9
        disk.resize(ROOM)
        boxed.assert_done(*typed, "check", **around)
        disk.copy(boxed.lake, boxed.folder / "copy")
        key = read_key_of(disk, boxed) if around else boxed.key
    finally:
        disk.unmount()
    (boxed.folder / "copy").rename(boxed.lake)  # where the disk was: a lake knows its place
    try:
        boxed.assert_right(*((CONSENTING, ANN_WITHDRAWS) if night else (CONSENTING | ANN_WITHDRAWS,)), key=key)
    finally:
        shutil.rmtree(boxed.lake)


def all_on(disk: Disk, boxed: Place, *, has_key: bool) -> dict[str, Path]:
    """The variables by which a command uses only the disk."""
    around = {"XDG_CONFIG_HOME": disk.folder / "config", "TMPDIR": disk.folder / "temporary"}
    boxed.stedi.done("mkdir", around["TMPDIR"])
    if has_key:
        disk.copy(boxed.folder / "config", around["XDG_CONFIG_HOME"])
    return around


def read_key_of(disk: Disk, boxed: Place) -> PseudonymKey:
    return PseudonymKey(bytes.fromhex(boxed.stedi.done("cat", disk.folder / "config" / KEY)))


# Other containers


@pytest.mark.parametrize(
    ("seed", "rounds"), [(0, 2), *(pytest.param(seed, 10, marks=pytest.mark.long) for seed in range(1, 11))]
)
def test_three_commands_at_once_from_two_containers(in_container, tmp_path, key, seed, rounds):
    """Each container counts its processes from 1: a process number says nothing about who is alive."""
    random, config = Random(seed), {"XDG_CONFIG_HOME": str(tmp_path / "config")}
    nights = changing_consents(random, 1 + rounds).runs
    with commands(tmp_path, in_container, **config) as one, commands(tmp_path, in_container, **config) as other:
        assert one.done("readlink", "/proc/self/ns/pid") != other.done("readlink", "/proc/self/ns/pid")
        box = place(tmp_path, key, one)
        write(tmp_path / "drops", nights[0])
        box.assert_done("land", "run")
        for n in range(1, 1 + rounds):
            write(tmp_path / "drops", nights[n])
            names = ["land", "run", random.choice(("maintain", "status", "query"))]
            random.shuffle(names)
            calls = [call(*box.words(name), after=random.uniform(0, 1)) for name in names]
            one.start(calls[0])
            other.start(*calls[1:])
            for said in (*one.ended(), *other.ended()):
                assert_errors(said, CommitConflictError.exit_code)
            box.assert_done("land", "run", "check")
            box.assert_right(*nights[: n + 1])


# Damaged files

DAMAGES = (deleted, truncated, overwritten)
KINDS = ("metadata", "manifest list", "manifest", "data file")
#: Files that are no table's.
OF_THE_LAKE = ("catalog.db", "lake.json")
#: In so many tests.
PARTS = 20


@pytest.fixture(scope="module")
def night(tmp_path_factory, key) -> Iterator[Place]:
    """A lake in which Ann's withdrawal has landed, and no run has consumed it. More is there to land."""
    folder = tmp_path_factory.mktemp("night")
    with commands(folder, XDG_CONFIG_HOME=str(folder / "config")) as stedi:
        made = place(folder, key, stedi)
        write(folder / "drops", CONSENTING)
        made.assert_done("land", "run")
        write(folder / "drops", ANN_WITHDRAWS)
        made.assert_done("land")
        write(folder / "drops", BOB_WALKS_ONCE)
        made.lake.rename(folder / "kept")
        yield made


@contextmanager
def restored(night: Place) -> Iterator[None]:
    """The lake as it was made, until the block ends."""
    shutil.copytree(night.folder / "kept", night.lake)
    try:
        yield
    finally:
        shutil.rmtree(night.lake)


def assert_told(night: Place, file: Path, damage: Damage, random: Random) -> None:
    """Each command works or names the table or the file. After a run nobody can read rows of whom has withdrawn."""
    damage(file, random)
    of = file.relative_to(night.lake).parts
    name = of[1] if len(of) > 2 else file.name
    for command in ("status", "query", "check", "land", "run", "maintain"):
        said = night.typed(command)
        assert_errors(said, 1, CommitConflictError.exit_code, DamagedLakeError.exit_code)
        assert not said.code or name in said.output, (command, name, said)
        if command == "run":
            assert anns_rows(night) == 0, said


def anns_rows(night: Place) -> int:
    """How many rows she has in the tables that can be read."""
    found = 0
    with suppress(StediError), closing(connect("embedded", Lake.at(str(night.lake)), writes=False)) as engine:
        for table, who in whose(night.key, ANN, "sn-1").items():
            with suppress(Exception):
                found += rows(engine, table, (WHOSE[table],))[(who,)]
    return found


SOME = [
    *Random(18).sample(list(product(names(), KINDS, DAMAGES)), 3),
    ("customer_trusted", "manifest", overwritten),  # only maintenance reads all of them
]


@pytest.mark.parametrize(("table", "kind", "damage"), SOME)
def test_a_damaged_file_of_a_table_is_named(night, table, kind, damage):
    random = Random(f"{table} {kind}")
    with restored(night):
        assert_told(night, random.choice(files_of(night.lake, contract(table))[kind]), damage, random)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        pytest.param(name, damage, marks=() if damage is truncated else pytest.mark.long)
        for name, damage in product(OF_THE_LAKE, DAMAGES)
    ],
)
def test_a_damaged_file_of_the_lake_is_named(night, name, damage):
    with restored(night):
        assert_told(night, night.lake / name, damage, Random(name))


@pytest.mark.long
@pytest.mark.parametrize("part", range(PARTS))
def test_each_damaged_file_is_named(night, part):
    files = sorted(
        path.relative_to(night.folder / "kept") for path in (night.folder / "kept").rglob("*") if path.is_file()
    )
    assert len(files) > 100
    for file, damage in product(files[part::PARTS], DAMAGES):
        with restored(night):
            assert_told(night, night.lake / file, damage, Random(f"{file} {damage.__name__}"))
