"""Generated conditions over generated rows: Athena keeps the rows that plain Python keeps."""

import operator
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from botocore.client import BaseClient
from conftest import random_name
from pyiceberg.catalog.glue import GlueCatalog
from querying import Querying

ROUNDS = 40
SCHEMA = pa.schema(
    {
        "id": pa.int64(),
        "small": pa.int32(),
        "big": pa.int64(),
        "word": pa.string(),
        "day": pa.date32(),
        "at": pa.timestamp("us"),
        "real": pa.float64(),
        "flag": pa.bool_(),
    }
)
DAY = date(2024, 1, 1)
VALUES: dict[str, Callable[[random.Random], Any]] = {
    "small": lambda generator: generator.randint(-3, 3),
    "big": lambda generator: generator.choice([-(2**62), -1, 0, 1, 2**62]),
    "word": lambda generator: generator.choice(["", "a", "ab", "b", "B", "é", "it's"]),
    "day": lambda generator: DAY + timedelta(days=generator.randint(0, 4)),
    "at": lambda generator: datetime(2024, 1, 1) + timedelta(hours=12 * generator.randint(0, 6)),
    "real": lambda generator: generator.choice([-1.5, 0.0, 0.1, 2.0, 1e20]),
    "flag": lambda generator: generator.random() < 0.5,
}
COMPARISONS = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Row = dict[str, Any]


@dataclass(frozen=True)
class Condition:
    """What is asked, in SQL and in Python; None is unknown."""

    sql: str
    holds: Callable[[Row], bool | None]


def literal(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f"'{value.replace(chr(39), chr(39) * 2)}'"
        case datetime():
            return f"TIMESTAMP '{value}'"
        case date():
            return f"DATE '{value}'"
        case float():
            return f"{value:e}"
    return str(value)


def condition(generator: random.Random, depth: int = 2) -> Condition:
    if depth and generator.random() < 0.7:
        left, right = condition(generator, depth - 1), condition(generator, depth - 1)
        return generator.choice([both, both, either, lambda a, _: opposite(a)])(left, right)
    return simple(generator)


def simple(generator: random.Random) -> Condition:
    column, value = generator.choice(list(VALUES.items()))
    low, high = sorted([value(generator), value(generator)])
    sign, compare = generator.choice(list(COMPARISONS.items()))
    return generator.choice(
        [
            Condition(f"{column} {sign} {literal(low)}", known(column, lambda v: compare(v, low))),
            Condition(f"{literal(low)} {sign} {column}", known(column, lambda v: compare(low, v))),
            Condition(
                f"{column} BETWEEN {literal(low)} AND {literal(high)}", known(column, lambda v: low <= v <= high)
            ),
            Condition(f"{column} IN ({literal(low)}, {literal(high)})", known(column, lambda v: v in {low, high})),
            Condition(f"{column} IS NULL", lambda row: row[column] is None),
            Condition(f"{column} IS NOT NULL", lambda row: row[column] is not None),
        ]
    )


def known(column: str, test: Callable[[Any], bool]) -> Callable[[Row], bool | None]:
    return lambda row: None if row[column] is None else test(row[column])


def both(a: Condition, b: Condition) -> Condition:
    def holds(row: Row) -> bool | None:
        sides = {a.holds(row), b.holds(row)}
        return False if False in sides else None if None in sides else True

    return Condition(f"({a.sql}) AND ({b.sql})", holds)


def either(a: Condition, b: Condition) -> Condition:
    def holds(row: Row) -> bool | None:
        sides = {a.holds(row), b.holds(row)}
        return True if True in sides else None if None in sides else False

    return Condition(f"({a.sql}) OR ({b.sql})", holds)


def opposite(a: Condition) -> Condition:
    def holds(row: Row) -> bool | None:
        truth = a.holds(row)
        return None if truth is None else not truth

    return Condition(f"NOT ({a.sql})", holds)


def rows(generator: random.Random, count: int) -> list[Row]:
    return [
        {"id": number}
        | {column: None if generator.random() < 0.15 else value(generator) for column, value in VALUES.items()}
        for number in range(count)
    ]


@dataclass(frozen=True)
class Generated:
    querying: Querying
    rows: list[Row]


@pytest.fixture(scope="module")
def generated(athena: BaseClient, glue: BaseClient, catalog: GlueCatalog, bucket: str) -> Iterator[Generated]:
    name = random_name()
    glue.create_database(DatabaseInput={"Name": name, "LocationUri": f"s3://{bucket}/{name}"})
    table = catalog.create_table((name, "t"), SCHEMA)
    everything = rows(random.Random(11), 120)
    # Several files, so that there is something to prune.
    for start in range(0, 120, 40):
        table.append(pa.Table.from_pylist(everything[start : start + 40], SCHEMA))
    yield Generated(Querying(athena, name, f"s3://{bucket}/{name}/results/"), everything)
    catalog.drop_table((name, "t"))
    glue.delete_database(Name=name)


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_a_condition_keeps_the_rows_that_python_keeps(generated: Generated, seed: int) -> None:
    asked = condition(random.Random(seed))
    kept = [[str(row["id"])] for row in generated.rows if asked.holds(row)]
    assert generated.querying.rows(f"SELECT id FROM t WHERE {asked.sql} ORDER BY id") == kept


@pytest.mark.parametrize("key", ["small", "word", "flag"])
def test_groups_count_and_sum_as_in_python(generated: Generated, key: str) -> None:
    groups: dict[Any, list[int]] = {}
    for row in generated.rows:
        groups.setdefault(row[key], []).append(row["small"])
    expected = {
        str(name).lower() if isinstance(name, bool) else None if name is None else str(name): [
            str(len(values)),
            str(sum(known)) if (known := [value for value in values if value is not None]) else None,
        ]
        for name, values in groups.items()
    }
    found = generated.querying.rows(f"SELECT {key}, count(*), sum(small) FROM t GROUP BY {key}")
    assert {name: values for name, *values in found} == expected


def test_deletes_remove_the_rows_that_python_would(generated: Generated, catalog: GlueCatalog) -> None:
    database = generated.querying.database
    table = catalog.create_table((database, "shrinking"), SCHEMA)
    table.append(pa.Table.from_pylist(generated.rows, SCHEMA))
    left = list(generated.rows)
    for seed in range(12):
        asked = condition(random.Random(100 + seed))
        execution = generated.querying.run(f"DELETE FROM shrinking WHERE {asked.sql}")
        if execution["Status"]["State"] == "FAILED":
            assert execution["Status"]["StateChangeReason"].startswith("NOT_SUPPORTED: ")
            continue
        left = [row for row in left if not asked.holds(row)]
        found = table.refresh().scan().to_arrow()["id"].to_pylist()
        assert sorted(found) == [row["id"] for row in left], asked.sql
    catalog.drop_table((database, "shrinking"))
