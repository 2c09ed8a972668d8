"""Iceberg tables that PyIceberg made, as Athena sees them; and those that Athena makes, as PyIceberg sees them."""

import os
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pyarrow as pa
import pytest
from botocore.client import BaseClient
from conftest import random_name
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.transforms import IdentityTransform
from pyiceberg.types import BinaryType, IntegerType, LongType, NestedField, StringType, TimestampType
from querying import Querying, texts

NOON = datetime(2024, 1, 1, 12, 0, 0, 123456)
PEOPLE = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int64()),
        "name": pa.array(["ann", "bob", None]),
        "born": pa.array([date(1990, 1, 2), date(2000, 3, 4), None]),
        "seen": pa.array([NOON, NOON + timedelta(days=1), None], pa.timestamp("us")),
        "synced": pa.array([NOON.replace(tzinfo=UTC), None, None], pa.timestamp("us", "UTC")),
        "height": pa.array([1.5, 1e10, None]),
        "weight": pa.array([1.5, 2.25, None], pa.float32()),
        "shoe": pa.array([7, 8, None], pa.int32()),
        "owes": pa.array([Decimal("12.34"), Decimal("-0.50"), None], pa.decimal128(10, 2)),
        "member": pa.array([True, False, None]),
        "tags": pa.array([["a", "b"], [], None], pa.list_(pa.string())),
        "scores": pa.array([[("x", 1)], [], None], pa.map_(pa.string(), pa.int32())),
        "home": pa.array(
            [{"street": "s", "number": 1}, None, None], pa.struct({"street": pa.string(), "number": pa.int32()})
        ),
        "photo": pa.array([b"\x01\xff", b"", None], pa.binary()),
    }
)


@pytest.fixture(scope="module")
def shared(athena: BaseClient, glue: BaseClient, catalog: GlueCatalog, bucket: str) -> Iterator[Querying]:
    """A database with tables that no test changes."""
    name = random_name()
    glue.create_database(DatabaseInput={"Name": name, "LocationUri": f"s3://{bucket}/{name}"})
    catalog.create_table((name, "people"), PEOPLE.schema).append(PEOPLE)
    orders = pa.table({"person": pa.array([1, 1, 2, 9], pa.int64()), "amount": pa.array([10.0, 20.0, 5.0, 1.0])})
    catalog.create_table((name, "orders"), orders.schema).append(orders)
    catalog.create_table((name, "nothing"), orders.schema)
    make_history(catalog, name)
    yield Querying(athena, name, f"s3://{bucket}/{name}/results/")
    for _, table in catalog.list_tables(name):
        catalog.drop_table((name, table))
    glue.delete_database(Name=name)


@pytest.fixture
def querying(athena: BaseClient, catalog: GlueCatalog, database: str, bucket: str) -> Iterator[Querying]:
    yield Querying(athena, database, f"s3://{bucket}/{database}/results/")
    for _, table in catalog.list_tables(database):
        catalog.drop_table((database, table))


@pytest.fixture(scope="module")
def history(shared: Querying, catalog: GlueCatalog) -> Table:
    """A table with three snapshots: of one row, of two, of one."""
    return catalog.load_table((shared.database, "history"))


def make_history(catalog: GlueCatalog, database: str) -> None:
    rows = pa.table({"n": pa.array([1], pa.int64())})
    table = catalog.create_table((database, "history"), rows.schema)
    table.append(rows)
    table.append(pa.table({"n": pa.array([2], pa.int64())}))
    table.delete("n = 1")
    table.manage_snapshots().create_tag(table.metadata.snapshots[0].snapshot_id, "first").commit()


def test_every_type_has_athena_s_name_and_text(shared: Querying) -> None:
    page = shared.results("SELECT * FROM people ORDER BY id")
    columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [column["Type"] for column in columns] == [
        "bigint",
        "varchar",
        "date",
        "timestamp",
        "timestamp with time zone",
        "double",
        "float",
        "integer",
        "decimal",
        "boolean",
        "array",
        "map",
        "row",
        "varbinary",
    ]
    assert (columns[8]["Precision"], columns[8]["Scale"]) == (10, 2)
    _, ann, bob, nobody = texts(page)
    assert ann == [
        "1",
        "ann",
        "1990-01-02",
        "2024-01-01 12:00:00.123456",
        "2024-01-01 12:00:00.123456 UTC",
        "1.5",
        "1.5",
        "7",
        "12.34",
        "true",
        "[a, b]",
        "{x=1}",
        "{street=s, number=1}",
        "01 ff",
    ]
    assert bob[5:] == ["1.0E10", "2.25", "8", "-0.50", "false", "[]", "{}", None, ""]
    assert nobody == ["3", *[None] * 13]


@pytest.mark.parametrize(
    "name",
    [
        "people",
        "{db}.people",
        '"{db}"."people"',
        "awsdatacatalog.{db}.people",
        '"AwsDataCatalog"."{db}"."PEOPLE"',
        "{db}.people AS p",
    ],
)
def test_a_table_is_found_by_any_of_its_names(shared: Querying, name: str) -> None:
    assert shared.rows(f"SELECT count(*) FROM {name.format(db=shared.database)}") == [["3"]]


QUERIES = {
    "SELECT name FROM people WHERE id = 2": [["bob"]],
    "SELECT p.name, sum(o.amount) FROM people p JOIN orders o ON o.person = p.id GROUP BY p.name ORDER BY 2 DESC": [
        ["ann", "30.0"],
        ["bob", "5.0"],
    ],
    "SELECT p.id, o.amount FROM people p LEFT JOIN orders o ON o.person = p.id WHERE o.amount IS NULL": [["3", None]],
    "SELECT p.id, o.amount FROM people p LEFT JOIN orders o ON o.person = p.id WHERE o.amount < 10": [["2", "5.0"]],
    "SELECT a.id, b.id FROM people a JOIN people b ON b.id = a.id + 1 ORDER BY 1": [["1", "2"], ["2", "3"]],
    "WITH big AS (SELECT * FROM orders WHERE amount > 5) SELECT count(*), (SELECT max(amount) FROM big) FROM big": [
        ["2", "20.0"]
    ],
    "SELECT id FROM people WHERE id IN (SELECT person FROM orders) AND NOT EXISTS "
    "(SELECT 1 FROM orders WHERE person = people.id AND amount > 10)": [["2"]],
    "SELECT id FROM people UNION SELECT person FROM orders ORDER BY id": [["1"], ["2"], ["3"], ["9"]],
    "SELECT id FROM people EXCEPT SELECT person FROM orders": [["3"]],
    "SELECT person, amount, row_number() OVER (PARTITION BY person ORDER BY amount DESC) AS place FROM orders "
    "ORDER BY person, place": [["1", "20.0", "1"], ["1", "10.0", "2"], ["2", "5.0", "1"], ["9", "1.0", "1"]],
    "SELECT id, tag, place FROM people CROSS JOIN UNNEST(tags) WITH ORDINALITY AS t(tag, place) ORDER BY place": [
        ["1", "a", "1"],
        ["1", "b", "2"],
    ],
    "SELECT id, k, v FROM people CROSS JOIN UNNEST(scores) AS t(k, v)": [["1", "x", "1"]],
    "SELECT home.street, p.home.number FROM people p WHERE id = 1": [["s", "1"]],
    "SELECT count(*), count(name), count(DISTINCT member), sum(shoe), avg(shoe), min(born) FROM people": [
        ["3", "2", "2", "15", "7.5", "1990-01-02"]
    ],
    "SELECT sum(shoe) / 2, sum(shoe) / 2e0 FROM people": [["7", "7.5"]],
    "SELECT sum(amount), count(*), max(person) FROM nothing": [[None, "0", None]],
    "SELECT approx_distinct(person), max_by(person, amount), array_agg(amount ORDER BY amount) FROM orders": [
        ["3", "1", "[1.0, 5.0, 10.0, 20.0]"]
    ],
    "SELECT sum(amount) FILTER (WHERE person = 1), count_if(amount > 5) FROM orders": [["30.0", "2"]],
    "SELECT person, count(*) FROM orders GROUP BY ROLLUP (person) ORDER BY person": [
        ["1", "2"],
        ["2", "1"],
        ["9", "1"],
        [None, "4"],
    ],
    "SELECT date_trunc('day', seen), date_diff('year', born, DATE '2024-01-01') FROM people WHERE id = 1": [
        ["2024-01-01 00:00:00.000000", "33"]
    ],
    "SELECT id FROM people WHERE seen >= DATE '2024-01-02' AND born BETWEEN DATE '2000-01-01' AND current_date": [
        ["2"]
    ],
    "SELECT id FROM people WHERE synced < TIMESTAMP '2024-01-01 13:00:00 UTC'": [["1"]],
    "SELECT name || '!' , concat(name, NULL), name LIKE 'a%' FROM people ORDER BY id": [
        ["ann!", None, "true"],
        ["bob!", None, "false"],
        [None, None, None],
    ],
    "SELECT id FROM people ORDER BY name DESC, id OFFSET 1 LIMIT 1": [["1"]],
    "SELECT id FROM people ORDER BY id FETCH FIRST 2 ROWS ONLY": [["1"], ["2"]],
    "VALUES (1, 'a'), (2, 'b')": [["1", "a"], ["2", "b"]],
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT * FROM n": [
        ["1"],
        ["2"],
        ["3"],
    ],
    "SELECT hour(synced AT TIME ZONE 'Asia/Tokyo'), synced AT TIME ZONE 'Asia/Tokyo' FROM people WHERE id = 1": [
        ["21", "2024-01-01 21:00:00.123456 Asia/Tokyo"]
    ],
}


@pytest.mark.parametrize("sql", QUERIES)
def test_a_query_is_answered(shared: Querying, sql: str) -> None:
    assert shared.rows(sql) == QUERIES[sql]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM nodb.t", "SCHEMA_NOT_FOUND: line 1:15: Schema 'nodb' does not exist"),
        ("SELECT * FROM nocatalog.d.t", "CATALOG_NOT_FOUND: line 1:15: Catalog 'nocatalog' does not exist"),
        ("SELECT *\nFROM people\nWHERE nope = 1", "COLUMN_NOT_FOUND: line 3:7: Column 'nope' cannot be resolved"),
        ("SELECT p.nope FROM people p", "COLUMN_NOT_FOUND: line 1:8: Column 'p.nope' cannot be resolved"),
        ("SELECT id AS i FROM people WHERE i = 1", "COLUMN_NOT_FOUND: line 1:34: Column 'i' cannot be resolved"),
        ("SELECT id FROM people a, people b", "AMBIGUOUS_NAME: line 1:8: Column 'id' is ambiguous"),
        (
            "SELECT id FROM people WHERE born = '1990-01-02'",
            "TYPE_MISMATCH: line 1:34: Cannot apply operator: date = varchar(10)",
        ),
        ("SELECT id FROM people WHERE name = 1", "TYPE_MISMATCH: line 1:34: Cannot apply operator: varchar = integer"),
        ("SELECT name, id FROM people GROUP BY name", "EXPRESSION_NOT_AGGREGATE: 'id' must be an aggregate expression"),
        ("SELECT CAST(name AS BIGINT) FROM people", "INVALID_CAST_ARGUMENT: Cannot cast 'ann' to BIGINT"),
    ],
)
def test_a_query_with_a_mistake_fails_with_its_reason(shared: Querying, sql: str, reason: str) -> None:
    assert shared.reason(sql).startswith(reason)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("greatest(1 - (SELECT max(amount) FROM orders), 0)", "0.0"),
        ("least(max(id), (SELECT count(*) FROM orders))", "1"),
        ("nullif((SELECT max(amount) FROM orders), 0)", "20.0"),
        ("CAST((SELECT max(amount) FROM orders) AS VARCHAR)", "20.0"),
    ],
)
def test_a_subquery_may_be_read_more_than_once(shared: Querying, expression: str, value: str) -> None:
    assert shared.rows(f"SELECT {expression} FROM people WHERE id = 1") == [[value]]


def test_only_the_columns_that_are_needed_are_scanned(shared: Querying) -> None:
    scanned = {
        sql: shared.run(sql)["Statistics"]["DataScannedInBytes"]
        for sql in ("SELECT * FROM people", "SELECT id FROM people", "SELECT count(*) FROM people")
    }
    assert (
        scanned["SELECT * FROM people"] > scanned["SELECT id FROM people"] > scanned["SELECT count(*) FROM people"] == 0
    )


def test_time_travel_by_snapshot_tag_and_time(shared: Querying, history: Table) -> None:
    first, second, third = history.metadata.snapshots
    for version, rows in (
        (first.snapshot_id, ["1"]),
        (second.snapshot_id, ["1", "2"]),
        ("'first'", ["1"]),
        ("'main'", ["2"]),
    ):
        assert shared.rows(f"SELECT n FROM history FOR VERSION AS OF {version} ORDER BY n") == [[row] for row in rows]
    for snapshot, rows in ((first, ["1"]), (second, ["1", "2"]), (third, ["2"])):
        instant = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S.%f UTC")
        sql = f"SELECT n FROM history FOR TIMESTAMP AS OF TIMESTAMP '{instant}' ORDER BY n"
        assert shared.rows(sql) == [[row] for row in rows]
    assert shared.rows("SELECT n FROM history FOR TIMESTAMP AS OF current_timestamp + INTERVAL '1' DAY") == [["2"]]


def test_time_travel_joins_a_table_with_its_past(shared: Querying, history: Table) -> None:
    first = history.metadata.snapshots[0].snapshot_id
    past = f"history FOR VERSION AS OF {first} AS old"
    sql = f"SELECT old.n FROM {past} LEFT JOIN history ON history.n = old.n WHERE history.n IS NULL"
    assert shared.rows(sql) == [["1"]]


def test_time_travel_sees_the_columns_of_the_time(querying: Querying, catalog: GlueCatalog) -> None:
    rows = pa.table({"n": pa.array([1], pa.int64())})
    table = catalog.create_table((querying.database, "evolved"), rows.schema)
    table.append(rows)
    with table.update_schema() as update:
        update.add_column("label", StringType())
        update.rename_column("n", "number")
    first = table.metadata.snapshots[0].snapshot_id
    assert texts(querying.results(f"SELECT * FROM evolved FOR VERSION AS OF {first} WHERE n > 0")) == [["n"], ["1"]]
    assert texts(querying.results("SELECT * FROM evolved")) == [["number", "label"], ["1", None]]


@pytest.mark.parametrize(
    ("travel", "reason"),
    [
        ("FOR VERSION AS OF 5", "INVALID_ARGUMENTS: Iceberg snapshot ID does not exists: 5"),
        ("FOR VERSION AS OF 'x'", "INVALID_ARGUMENTS: Cannot find snapshot with reference name: x"),
        ("FOR TIMESTAMP AS OF TIMESTAMP '2001-01-01 00:00:00 UTC'", "INVALID_ARGUMENTS: No version history table"),
    ],
)
def test_there_is_no_travelling_to_where_nothing_was(
    shared: Querying, history: Table, travel: str, reason: str
) -> None:
    assert shared.reason(f"SELECT * FROM history {travel}").startswith(reason)


METADATA = {
    "snapshots": ["committed_at", "snapshot_id", "parent_id", "operation", "manifest_list", "summary"],
    "history": ["made_current_at", "snapshot_id", "parent_id", "is_current_ancestor"],
    "refs": [
        "name",
        "type",
        "snapshot_id",
        "max_reference_age_in_ms",
        "min_snapshots_to_keep",
        "max_snapshot_age_in_ms",
    ],
    "partitions": ["record_count", "file_count", "total_size"],
    "manifests": [
        "path",
        "length",
        "partition_spec_id",
        "added_snapshot_id",
        "added_data_files_count",
        "added_rows_count",
        "existing_data_files_count",
        "existing_rows_count",
        "deleted_data_files_count",
        "deleted_rows_count",
        "partition_summaries",
    ],
    "files": [
        "content",
        "file_path",
        "file_format",
        "spec_id",
        "record_count",
        "file_size_in_bytes",
        "column_sizes",
        "value_counts",
        "null_value_counts",
        "nan_value_counts",
        "lower_bounds",
        "upper_bounds",
        "key_metadata",
        "split_offsets",
        "equality_ids",
    ],
}


@pytest.mark.parametrize("table", METADATA)
def test_metadata_tables_have_trino_s_columns(shared: Querying, history: Table, table: str) -> None:
    header, *rows = texts(shared.results(f'SELECT * FROM "history${table}"'))
    assert header == METADATA[table]
    assert rows
    assert texts(shared.results(f'SELECT * FROM "nothing${table}"')) == [header]


def test_metadata_tables_say_what_happened(shared: Querying, history: Table) -> None:
    ids = [str(snapshot.snapshot_id) for snapshot in history.metadata.snapshots]
    summary = "snapshot_id, operation, element_at(summary, 'added-records')"
    snapshots = f'SELECT {summary} FROM "history$snapshots" ORDER BY committed_at LIMIT 2'
    assert shared.rows(snapshots) == [[ids[0], "append", "1"], [ids[1], "append", "1"]]
    assert shared.rows('SELECT name, type FROM "history$refs" ORDER BY name') == [
        ["first", "TAG"],
        ["main", "BRANCH"],
    ]
    assert shared.rows('SELECT sum(record_count), max(lower_bounds[1]) FROM "history$files"') == [["1", "2"]]
    history_rows = shared.rows('SELECT snapshot_id, is_current_ancestor FROM "history$history"')
    assert history_rows == [[query_id, "true"] for query_id in ids]
    assert shared.reason('SELECT * FROM "history$nope"').startswith("TABLE_NOT_FOUND: ")


def test_information_schema_lists_tables_and_columns(shared: Querying) -> None:
    where = f"WHERE table_schema = '{shared.database}'"
    tables = f"SELECT table_name, table_type FROM information_schema.tables {where} ORDER BY 1"
    assert shared.rows(tables) == [[name, "BASE TABLE"] for name in ("history", "nothing", "orders", "people")]
    columns = (
        "SELECT column_name, ordinal_position, data_type FROM information_schema.columns "
        f"{where} AND table_name = 'people' AND ordinal_position IN (1, 4, 9, 11, 13) ORDER BY 2"
    )
    assert shared.rows(columns) == [
        ["id", "1", "bigint"],
        ["seen", "4", "timestamp(6)"],
        ["owes", "9", "decimal(10, 2)"],
        ["tags", "11", "array(varchar)"],
        ["home", "13", "row(street varchar, number integer)"],
    ]
    schemas = f"SELECT count(*) FROM information_schema.schemata WHERE schema_name = '{shared.database}'"
    assert shared.rows(schemas) == [["1"]]


def test_show_and_describe(shared: Querying, bucket: str) -> None:
    assert shared.rows("SHOW TABLES") == [["history"], ["nothing"], ["orders"], ["people"]]
    assert shared.rows(f"SHOW TABLES IN {shared.database} 'p.*'") == [["people"]]
    assert [shared.database] in shared.rows("SHOW DATABASES")
    assert shared.rows(f"SHOW SCHEMAS LIKE '{shared.database}'") == [[shared.database]]
    assert shared.rows("SHOW COLUMNS IN orders") == [["person"], ["amount"]]
    page = shared.results("DESCRIBE orders")
    assert [column["Name"] for column in page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]] == [
        "col_name",
        "data_type",
        "comment",
    ]
    assert [row[0] for row in texts(page)] == [
        "# Table schema:\t\t",
        "# col_name\tdata_type\tcomment",
        "person\tbigint\t",
        "amount\tdouble\t",
        "\t\t",
        "# Partition spec:\t\t",
        "# field_name\tfield_transform\tcolumn_name",
    ]
    assert "\n".join(str(row[0]) for row in shared.rows("SHOW CREATE TABLE orders")) == (
        f"CREATE TABLE {shared.database}.orders (\n  person bigint,\n  amount double)\n"
        f"LOCATION 's3://{bucket}/{shared.database}/orders'\nTBLPROPERTIES (\n  'table_type'='iceberg'\n);"
    )
    assert ["table_type\tICEBERG"] in shared.rows("SHOW TBLPROPERTIES orders")
    with pytest.raises(Exception, match="Entity Not Found"):
        shared.start("DESCRIBE nowhere")


def test_the_kind_of_a_statement_is_told(shared: Querying) -> None:
    execution = shared.run("show /* comment */ tables")
    assert (execution["StatementType"], execution["SubstatementType"]) == ("UTILITY", "SHOW_TABLES")
    assert execution["ResultConfiguration"]["OutputLocation"].endswith(".txt")


def test_a_view_is_a_query_with_a_name(querying: Querying, shared: Querying, history: Table) -> None:
    past = f"{shared.database}.history"
    querying.run(f"CREATE VIEW v AS SELECT n, upper('a') AS letter FROM {past} WHERE n > 1")
    assert querying.rows(f"SELECT v.* FROM v JOIN {past} ON v.n = history.n") == [["2", "A"]]
    assert querying.reason("CREATE VIEW v AS SELECT 1 AS n").startswith("ALREADY_EXISTS: ")
    querying.results(f"CREATE OR REPLACE VIEW v AS SELECT count(*) AS n FROM {past}")
    assert querying.rows(f"SELECT * FROM {querying.database}.v") == [["1"]]
    assert querying.rows("SHOW VIEWS") == [["v"]]
    assert querying.rows("SHOW CREATE VIEW v")[1:] == [[f"SELECT count(*) AS n FROM {past}"]]
    querying.results("DROP VIEW v")
    assert querying.reason("DROP VIEW v").startswith("TABLE_NOT_FOUND: ")
    querying.results("DROP VIEW IF EXISTS v")


def test_a_table_is_made_filled_emptied_and_dropped(
    querying: Querying, catalog: GlueCatalog, bucket: str, s3: BaseClient
) -> None:
    location = f"s3://{bucket}/{querying.database}/made"
    create = (
        "CREATE TABLE made (id bigint COMMENT 'key', at timestamp, kind string, cost decimal(10,2), tags array<string>)"
        f" PARTITIONED BY (day(at), bucket(4, id), kind) LOCATION '{location}/' TBLPROPERTIES ('table_type'='ICEBERG')"
    )
    querying.results(create)
    assert querying.reason(create).startswith("TABLE_ALREADY_EXISTS: ")
    table = catalog.load_table((querying.database, "made"))
    assert table.location() == location
    assert [str(field.transform) for field in table.spec().fields] == ["day", "bucket[4]", "identity"]
    assert table.schema().find_field("id").doc == "key"
    inserted = querying.results(
        "INSERT INTO made (id, at, kind) SELECT n, TIMESTAMP '2024-01-01 00:00:00' + n * INTERVAL '1' DAY, 'k' "
        "FROM UNNEST(sequence(1, 5)) AS t(n)"
    )
    assert (inserted["UpdateCount"], texts(inserted)) == (5, [])
    assert querying.results("INSERT INTO made VALUES (6, NULL, NULL, DECIMAL '1.5', ARRAY['x'])")["UpdateCount"] == 1
    assert catalog.load_table((querying.database, "made")).scan().count() == 6
    day = "SELECT id, at FROM made WHERE at = TIMESTAMP '2024-01-03 00:00:00'"
    assert querying.rows(day) == [["2", "2024-01-03 00:00:00.000000"]]
    assert querying.results("DELETE FROM made WHERE id > 3 AND (kind = 'k' OR kind IS NULL)")["UpdateCount"] == 3
    assert querying.results("DELETE FROM made WHERE id = 77")["UpdateCount"] == 0
    assert querying.rows("SELECT count(*) FROM made") == [["3"]]
    assert querying.rows("SHOW CREATE TABLE made")[6:10] == [
        ["PARTITIONED BY ("],
        ["  day(`at`),"],
        ["  bucket(4, `id`),"],
        ["  `kind`)"],
    ]
    querying.results("DROP TABLE made")
    assert not catalog.table_exists((querying.database, "made"))
    left = s3.list_objects_v2(Bucket=bucket, Prefix=f"{querying.database}/made/").get("Contents", [])
    assert [each["Key"] for each in left if each["Size"]] == []  # PyArrow leaves empty objects for folders
    querying.results("DROP TABLE IF EXISTS made")
    assert querying.reason("DROP TABLE made") == "FAILED: SemanticException [Error 10001]: Table not found made"


def test_a_table_is_made_from_a_query(querying: Querying, catalog: GlueCatalog, bucket: str) -> None:
    create = (
        f"CREATE TABLE copy WITH (table_type = 'ICEBERG', location = 's3://{bucket}/{querying.database}/copy/', "
        "is_external = false, partitioning = ARRAY['truncate(label, 2)']) AS "
        "SELECT n, 'label' AS label, count(*) AS total FROM (VALUES BIGINT '2') AS t(n) GROUP BY n"
    )
    execution = querying.run(create)
    assert execution["SubstatementType"] == "CREATE_TABLE_AS_SELECT"
    assert "/tables/" in execution["ResultConfiguration"]["OutputLocation"]
    assert querying.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])["UpdateCount"] == 1
    table = catalog.load_table((querying.database, "copy"))
    assert table.scan().to_arrow().to_pylist() == [{"n": 2, "label": "label", "total": 1}]
    assert [str(field.transform) for field in table.spec().fields] == ["truncate[2]"]


def test_a_table_that_cannot_be_filled_is_not_made(querying: Querying, catalog: GlueCatalog) -> None:
    reason = querying.reason(
        "CREATE TABLE copy WITH (table_type = 'ICEBERG') AS SELECT 1 / (n - 1) AS x FROM (VALUES 1) AS t(n)"
    )
    assert reason.startswith("DIVISION_BY_ZERO: ")
    assert not catalog.table_exists((querying.database, "copy"))


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("DELETE FROM history WHERE n + 1 = 2", "NOT_SUPPORTED: "),
        ("DELETE FROM history WHERE nope = 2", "COLUMN_NOT_FOUND: line 1:27: "),
        ("INSERT INTO history VALUES ('a')", "TYPE_MISMATCH: Insert query has mismatched column types: "),
        ("INSERT INTO history VALUES (1, 2)", "TYPE_MISMATCH: Insert query has mismatched column types: "),
        ("INSERT INTO nowhere VALUES (1)", "TABLE_NOT_FOUND: line 1:13: "),
        ("CREATE TABLE copy AS SELECT 1 AS n", "NOT_SUPPORTED: only Iceberg tables can be made"),
        (
            "CREATE TABLE nodb.t (n int) LOCATION 's3://b/t' TBLPROPERTIES ('table_type'='ICEBERG')",
            "SCHEMA_NOT_FOUND: ",
        ),
    ],
)
def test_a_change_that_cannot_be_made_changes_nothing(shared: Querying, history: Table, sql: str, reason: str) -> None:
    before = history.refresh().metadata.current_snapshot_id
    assert shared.reason(sql).startswith(reason)
    assert history.refresh().metadata.current_snapshot_id == before


def test_databases_are_made_and_dropped(querying: Querying, glue: BaseClient, bucket: str) -> None:
    name = random_name()
    made = f"create database `{name}` comment 'made by a test' location 's3://{bucket}/{name}/'"
    querying.results(f"{made} with dbproperties ('a' = 'b');")
    database = glue.get_database(Name=name)["Database"]
    assert (database["Description"], database["LocationUri"]) == ("made by a test", f"s3://{bucket}/{name}/")
    assert database["Parameters"] == {"a": "b"}
    assert "already exists" in querying.reason(f"CREATE SCHEMA {name}")
    querying.results(f"CREATE DATABASE IF NOT EXISTS {name}")
    querying.results(
        f"CREATE TABLE {name}.t WITH (table_type = 'ICEBERG', location = 's3://{bucket}/{name}/t') AS SELECT 1 AS n"
    )
    assert "is not empty" in querying.reason(f"DROP DATABASE {name}")
    querying.results(f"drop database `{name}` cascade")
    assert "does not exist" in querying.reason(f"DROP DATABASE {name}")
    querying.results(f"DROP SCHEMA IF EXISTS {name}")


def test_a_table_of_another_kind_is_refused(querying: Querying, glue: BaseClient, database: str) -> None:
    descriptor = {"Columns": [{"Name": "id", "Type": "int"}], "Location": "s3://b/t", "InputFormat": "text"}
    glue.create_table(DatabaseName=database, TableInput={"Name": "other", "StorageDescriptor": descriptor})
    try:
        assert (
            querying.reason("SELECT * FROM other")
            == f"NOT_SUPPORTED: Table {database}.other is not an Iceberg table (text)"
        )
    finally:
        glue.delete_table(DatabaseName=database, Name="other")


def test_the_limit_of_bytes_counts_what_is_left_after_pruning(
    querying: Querying, catalog: GlueCatalog, athena: BaseClient, name: str
) -> None:
    schema = Schema(
        NestedField(1, "part", IntegerType()), NestedField(2, "x", LongType()), NestedField(3, "b", BinaryType())
    )
    spec = PartitionSpec(PartitionField(1, 1000, IdentityTransform(), "part"))
    table = catalog.create_table((querying.database, "wide"), schema, partition_spec=spec)
    for part, count in ((0, 1_500_000), (1, 1)):
        # Random, so that no encoding makes them small.
        numbers = pa.Array.from_buffers(pa.int64(), count, [None, pa.py_buffer(os.urandom(8 * count))])
        parts = pa.array([part] * count, pa.int32())
        table.append(pa.table({"part": parts, "x": numbers, "b": pa.array([b""] * count, pa.binary())}))
    limits = {"BytesScannedCutoffPerQuery": 10_000_000, "ResultConfiguration": {"OutputLocation": querying.output}}
    athena.create_work_group(Name=name, Configuration=limits)
    try:
        status = querying.run("SELECT max(x) FROM wide", WorkGroup=name)["Status"]
        assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Bytes scanned limit was exceeded")
        assert "AthenaError" not in status
        for narrow in (
            "SELECT max(x) FROM wide WHERE part = 1",
            "SELECT max(b) FROM wide",
            "SELECT count(*) FROM wide",
        ):
            execution = querying.run(narrow, WorkGroup=name)
            assert execution["Status"]["State"] == "SUCCEEDED"
            assert execution["Statistics"]["DataScannedInBytes"] < 10_000_000
        unlimited = querying.run("SELECT max(x) FROM wide")
        assert unlimited["Statistics"]["DataScannedInBytes"] > 10_000_000
    finally:
        athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True)


def test_deletes_that_others_left_as_files_are_read(querying: Querying, catalog: GlueCatalog) -> None:
    schema = Schema(NestedField(1, "Id", LongType()), NestedField(2, "At", TimestampType()))
    table = catalog.create_table((querying.database, "cased"), schema)
    table.append(pa.table({"Id": pa.array([1], pa.int64()), "At": pa.array([NOON], pa.timestamp("us"))}))
    assert texts(querying.results("SELECT * FROM cased WHERE id = 1 AND AT > DATE '2024-01-01'")) == [
        ["id", "at"],
        ["1", "2024-01-01 12:00:00.123456"],
    ]
