"""The walks over a table's snapshots, without an engine."""

from collections.abc import Collection, Mapping
from datetime import date, datetime

from stedi_common.contracts import contract
from stedi_common.engines.history import TableSnapshot, ancestors, changed_days, head_at, history
from stedi_common.engines.protocol import Head

TABLE = contract("accelerometer_trusted")
FIRST, SECOND = date(2024, 5, 1), date(2024, 5, 2)


class Kept:
    """Snapshots 1, 2 and so on, each committed onto the one before it."""

    def __init__(
        self, days: Mapping[int, Collection[date] | None], same: Collection[int] = (), gone: Collection[int] = ()
    ):
        self._days = days
        self._kept = {
            n: TableSnapshot(n, n - 1 or None, datetime(2024, 5, n), n in same) for n in days if n not in gone
        }

    def find(self, snapshot_id: int) -> TableSnapshot | None:
        return self._kept.get(snapshot_id)

    def summary(self, snapshot: TableSnapshot) -> Mapping[str, str]:
        return {"of": str(snapshot.id)}

    def days(self, snapshot: TableSnapshot) -> Collection[date] | None:
        return self._days[snapshot.id]


def head(kept: Kept, snapshot_id: int) -> Head:
    return head_at(TABLE, kept, kept.find(snapshot_id))


def test_ancestors_end_where_they_are_no_longer_kept():
    kept = Kept({1: (), 2: (), 3: (), 4: ()}, gone=[2])
    assert [snapshot.id for snapshot in ancestors(kept, 4)] == [4, 3]
    assert list(ancestors(kept, 9)) == []
    assert [each.snapshot_id for each in history(TABLE, kept, head(kept, 4))] == [4, 3]


def test_a_head_has_the_data_snapshot_that_is_still_kept():
    compacted = Kept({1: (), 2: (), 3: (), 4: ()}, same=[3, 4])
    assert (head(compacted, 4).data_snapshot_id, head(compacted, 4).summary) == (2, {"of": "2"})
    expired = Kept({1: (), 2: (), 3: (), 4: ()}, same=[3, 4], gone=[2])
    assert (head(expired, 4).snapshot_id, head(expired, 4).data_snapshot_id) == (4, 3)


def test_changed_days_are_of_the_snapshots_in_between_but_for_compactions():
    kept = Kept({1: [FIRST], 2: [SECOND], 3: [FIRST]}, same=[3])
    heads = [head(kept, n) for n in (1, 2, 3)]
    assert [changed_days(kept, since, heads[-1]) for since in heads] == [{SECOND}, set(), set()]
    assert changed_days(kept, heads[-1], heads[0]) is None
    assert changed_days(Kept({1: (), 2: None}), heads[0], heads[1]) is None
