"""What engines know of days: which have changed between two snapshots, and how some are overwritten."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.lakes import rows, table_of

from stedi_common.contracts import Column, contract
from stedi_common.engines.days import spans
from stedi_common.engines.protocol import Engine, Head
from stedi_common.errors import CommitConflictError

TABLE = contract("accelerometer_trusted")
PEOPLE = contract("customer_trusted")
DAYS = [date(2024, 5, day) for day in range(1, 6)]
FIRST, SECOND, THIRD, *_ = DAYS


@pytest.fixture
def three(engine) -> Engine:
    """A lake with readings on three days."""
    engine.prepare(TABLE)
    append(engine, "ann", DAYS[:3])
    return engine


def test_days_are_read_alone(three):
    found = three.collect(three.read(TABLE, three.head(TABLE), [FIRST, THIRD]).select("timestamp"))
    assert sorted(row["timestamp"].date() for row in found) == [FIRST, THIRD]
    assert three.collect(three.read(TABLE, three.head(TABLE), [])) == []


def test_days_from_one_on_are_read_alone(three):
    head = three.head(TABLE)

    def read(**asked: Any) -> list[date]:
        return sorted(row["timestamp"].date() for row in three.collect(three.read(TABLE, head, **asked)))

    assert read() == DAYS[:3]
    assert read(since=SECOND) == [SECOND, THIRD]
    assert read(since=THIRD) == [THIRD]
    assert read(days=[FIRST, THIRD]) == [FIRST, THIRD]
    assert read(days=[FIRST, THIRD], since=SECOND) == [THIRD]
    assert read(since=DAYS[3]) == []
    assert read() == DAYS[:3]
    three.prepare(PEOPLE)
    assert three.collect(three.read(PEOPLE, three.head(PEOPLE), since=SECOND)) == []


def test_changed_rows_differ_as_all_rows_do(three):
    start = three.head(TABLE)
    appended = append(three, "bob", [SECOND])
    overwritten = replaced(three, [FIRST], {"bob": [FIRST]})
    for since, head in ((start, appended), (start, overwritten), (appended, overwritten), (start, start)):
        gone, new = (Counter(map(repr, three.collect(side))) for side in three.read_changed(TABLE, since, head))
        before, after = (Counter(map(repr, three.collect(three.read(TABLE, at)))) for at in (since, head))
        assert (gone - new, new - gone) == (before - after, after - before)


def test_a_reader_sees_the_snapshot_it_names(three):
    start = three.head(TABLE)
    later = append(three, "bob", [SECOND])
    assert [len(three.collect(three.read(TABLE, head))) for head in (start, later)] == [3, 4]
    both = three.read(TABLE, start).join(three.read(TABLE, later), on="user", how="semi")
    assert len(three.collect(both)) == 3


def test_a_snapshot_lacks_no_column_that_its_contract_has_gained(three):
    gained = replace(TABLE, columns=(*TABLE.columns, Column("w", "double", False, "internal", "Said later.")))
    start = three.head(TABLE)
    three.prepare(gained)
    assert [row["w"] for row in three.collect(three.read(gained, start))] == [None] * 3


def test_a_change_is_of_the_days_whose_files_it_adds_or_removes(three):
    heads = [three.head(TABLE), append(three, "bob", [SECOND]), replaced(three, [FIRST], {})]
    assert [three.changed_days(TABLE, since, heads[-1]) for since in heads] == [{FIRST, SECOND}, {FIRST}, set()]
    assert three.changed_days(TABLE, heads[0], heads[1]) == {SECOND}
    heads.append(three.replace(TABLE, of(three, "cleo", [THIRD]), heads[-1], {}))
    assert three.changed_days(TABLE, heads[-2], heads[-1]) == {SECOND, THIRD}


def test_one_engine_knows_what_the_other_has_changed(connect_to, tmp_path):
    for name, other in (("embedded", "spark"), ("spark", "embedded")):
        one, two = connect_to(name, tmp_path / name), connect_to(other, tmp_path / name)
        one.prepare(TABLE)
        head = append(one, "ann", DAYS[:3])
        assert replaced(one, [SECOND], {"bob": [SECOND]}) == two.head(TABLE)
        assert two.changed_days(TABLE, head, two.head(TABLE)) == {SECOND}


def test_a_snapshot_that_is_no_ancestor_tells_no_days(three):
    start = three.head(TABLE)
    later = append(three, "bob", [SECOND])
    assert three.changed_days(TABLE, later, start) is None


def test_a_snapshot_that_has_expired_tells_no_days(engine, tmp_path):
    engine.prepare(TABLE)
    start = append(engine, "ann", [FIRST])
    later = append(engine, "bob", [SECOND])
    table_of(tmp_path / "lake", TABLE).maintenance.expire_snapshots().by_id(start.snapshot_id).commit()
    assert engine.snapshot(TABLE, start.snapshot_id) is None
    assert engine.snapshot(TABLE, later.snapshot_id) == later
    assert engine.changed_days(TABLE, start, later) is None
    assert list(engine.history(TABLE, later)) == [later]


def test_a_table_without_days_has_changed_or_has_not(engine):
    engine.prepare(PEOPLE)
    start = engine.head(PEOPLE)
    quiet = engine.replace_days(PEOPLE, [], engine.frame(PEOPLE, []), start, {})
    assert engine.changed_days(PEOPLE, start, quiet) == set()
    person = dict.fromkeys(PEOPLE.names) | {"email": "ann"}
    loud = engine.append(PEOPLE, engine.frame(PEOPLE, [person]), quiet, {})
    assert engine.changed_days(PEOPLE, quiet, loud) is None


def test_rows_take_the_place_of_their_days_in_one_snapshot(three, tmp_path):
    before, start = files_of(tmp_path), three.head(TABLE)
    head = replaced(three, [FIRST, THIRD], {"bob": [FIRST]}, summary={"stedi.days": "2"})
    assert seen(three) == Counter({("ann", SECOND): 1, ("bob", FIRST): 1})
    assert [each.snapshot_id for each in three.history(TABLE, head)][:2] == [head.snapshot_id, start.snapshot_id]
    assert (head.summary["stedi.days"], head.rows) == ("2", 2)
    assert files_of(tmp_path)[SECOND] == before[SECOND]


def test_no_days_are_a_summary_only(three, tmp_path):
    before, start = files_of(tmp_path), three.head(TABLE)
    head = replaced(three, [], {}, summary={"stedi.run": "this"})
    assert (head.summary["stedi.run"], head.rows, files_of(tmp_path)) == ("this", 3, before)
    assert three.changed_days(TABLE, start, head) == set()


def test_all_days_may_be_replaced_by_nothing(three):
    assert replaced(three, DAYS, {}).rows == 0
    assert seen(three) == Counter()


def test_who_replaces_days_late_is_refused(three):
    start = three.head(TABLE)
    append(three, "bob", [SECOND])
    with pytest.raises(CommitConflictError):
        three.replace_days(TABLE, [FIRST], of(three, "cleo", [FIRST]), start, {})
    assert seen(three) == Counter({("ann", day): 1 for day in DAYS[:3]} | {("bob", SECOND): 1})


def test_days_make_spans():
    one = timedelta(days=1)
    assert spans([]) == []
    assert spans([DAYS[4], DAYS[0], DAYS[1], DAYS[1]]) == [(DAYS[0], DAYS[2]), (DAYS[4], DAYS[4] + one)]


def of(engine: Engine, user: str, days: Iterable[date]) -> Any:
    return engine.frame(TABLE, [reading(user, day) for day in days])


def reading(user: str, day: date) -> dict[str, Any]:
    return {"user": user, "timestamp": datetime(day.year, day.month, day.day, 12), "x": 0.0, "y": 0.0, "z": 0.0}


def append(engine: Engine, user: str, days: Iterable[date]) -> Head:
    return engine.append(TABLE, of(engine, user, days), engine.head(TABLE), {})


def replaced(engine: Engine, days: list[date], by: dict[str, list[date]], summary: Any = ()) -> Head:
    new = engine.frame(TABLE, [reading(user, day) for user, some in by.items() for day in some])
    return engine.replace_days(TABLE, days, new, engine.head(TABLE), dict(summary))


def seen(engine: Engine) -> Counter[tuple[str, date]]:
    return Counter((user, at.date()) for user, at in rows(engine, TABLE.name, ("user", "timestamp")).elements())


def files_of(folder: Path) -> dict[date, str]:
    """The one file of each day."""
    tasks = table_of(folder / "lake", TABLE).scan().plan_files()
    return {date.fromisoformat(task.file.file_path.split("_day=")[1][:10]): task.file.file_path for task in tasks}
