"""The library: what a notebook or a job does with a lake, by the examples of its own docstrings and on both engines."""

import doctest
import inspect
from datetime import datetime
from pathlib import Path

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from support.commands import python
from support.drops import at, customer, landing, reading, step
from support.lakes import write

import stedi_common as stedi
from stedi_common.api import lake as lake_module
from stedi_common.api import rows as rows_module
from stedi_common.contracts import contract, names

PERSON = "ann@example.org"
DROPS = landing(
    [customer(PERSON, at("08:00"), at("08:00"), "sn-1")],
    [reading(PERSON, at("09:00"))],
    [step("sn-1", at("09:00"))],
)
EXAMPLES = [
    *(method for _, method in inspect.getmembers(lake_module.OpenLake, inspect.isfunction) if method.__doc__),
    *(method for _, method in inspect.getmembers(rows_module.Rows, inspect.isfunction) if method.__doc__),
    lake_module.open,
    stedi.Settings,
]
#: What is refused before an engine is asked.
EMBEDDED = pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
EXAMPLES = [each for each in EXAMPLES if ">>>" in (each.__doc__ or "")]


@pytest.fixture(scope="module")
def folder(engine_name, tmp_path_factory):
    """A folder with drops, and a lake in which all tables are made by the engine."""
    folder = tmp_path_factory.mktemp(engine_name)
    write(folder / "drops", DROPS)
    (folder / "key").write_text("00" * 32)
    (folder / "key").chmod(0o600)
    with stedi.open(folder / "lake", engine=engine_name, pseudonym_key_file=folder / "key") as lake:
        assert [landed.landed for landed in lake.land(folder / "drops")] == [1, 1, 1]
        assert [outcome.rows for outcome in lake.run()] == [1] * 5
    return folder


@pytest.fixture
def lake(folder, engine_name, monkeypatch):
    """That lake, open to be read, in its folder."""
    monkeypatch.chdir(folder)
    with stedi.open("lake", engine=engine_name, pseudonym_key_file="key", read_only=True) as lake:
        yield lake


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A lake of this test alone on the embedded engine, in its folder, in which all tables are made."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "drops", DROPS)
    with stedi.open("lake") as lake:
        lake.land()
        lake.run()
        yield lake


# Docstrings


@pytest.mark.parametrize("described", EXAMPLES, ids=lambda each: each.__qualname__)
def test_the_example_of_a_docstring_gives_what_it_says(own, described):
    if described.__name__ == "land":
        write(Path("drops"), landing(name="2"))
        own.close()
        own = stedi.open("another")
    finder = doctest.DocTestFinder(recurse=False)
    (example,) = finder.find(described, described.__name__, globs={"lake": own})
    output: list[str] = []
    results = doctest.DocTestRunner(verbose=False).run(example, out=output.append)
    assert results.attempted
    assert not results.failed, "".join(output)


@pytest.mark.parametrize("method", ["land", "plan", "run", "read", "snapshots", "status", "maintain"])
def test_every_method_says_what_it_takes_and_raises(method):
    text = inspect.getdoc(getattr(stedi.OpenLake, method))
    assert "Raises:" in text
    assert "Examples:" in text
    parameters = list(inspect.signature(getattr(stedi.OpenLake, method)).parameters)[1:]
    assert [name for name in parameters if f"    {name}: " not in text] == []


# Reading


def test_a_table_is_read_as_arrow_pandas_and_polars(lake):
    rows = lake.read("accelerometer_trusted", ["user", "timestamp", "x"])
    expected = {"user": [PERSON], "timestamp": [datetime(2024, 5, 1, 9)], "x": rows.arrow()["x"].to_pylist()}
    assert isinstance(rows.arrow(), pa.Table)
    assert rows.arrow().to_pydict() == expected
    assert isinstance(rows.pandas(), pd.DataFrame)
    assert rows.pandas().to_dict("list") == expected
    assert isinstance(rows.polars(), pl.DataFrame)
    assert rows.polars().to_dict(as_series=False) == expected


def test_both_engines_give_the_types_of_the_contract(lake):
    arrow = {"string": pa.string(), "timestamp": pa.timestamp("us"), "date": pa.date32(), "double": pa.float64()}
    arrow |= {"int": pa.int32(), "long": pa.int64()}
    for name in ("customer_landing", "machine_learning_curated"):
        expected = [(column.name, arrow[column.type]) for column in contract(name).columns]
        assert lake.read(name).arrow().schema == pa.schema(expected)


def test_a_table_may_be_named_with_its_zone(lake):
    assert lake.read("trusted.customer_trusted").arrow().num_rows == 1


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        (stedi.col("user") == PERSON, 1),
        (stedi.col("user") == "bob@example.org", 0),
        ((stedi.col("timestamp") >= datetime(2024, 5, 1, 9)) & (stedi.col("x") > -1000), 1),
        (stedi.col("timestamp") > datetime(2024, 5, 1, 9), 0),
        (stedi.col("user").is_in([PERSON]), 1),
    ],
    ids=range(5),
)
def test_a_condition_chooses_rows(lake, condition, rows):
    """On a column that is not asked for, too."""
    assert lake.read("accelerometer_trusted", ["x"], where=condition).arrow().num_rows == rows


def test_a_condition_cannot_leave_the_columns(lake):
    with pytest.raises(stedi.QueryError) as told:
        lake.read("accelerometer_trusted", where=stedi.col("usr") == PERSON)
    assert str(told.value).endswith("got 'usr'\nhint: did you mean user?")
    assert PERSON not in str(told.value)


@EMBEDDED
@pytest.mark.parametrize("condition", ["user = 'ann@example.org'", stedi.col("user") > 3, stedi.col("x"), 1])
def test_what_is_no_condition_is_an_error(lake, condition):
    with pytest.raises(stedi.QueryError, match=r"^accelerometer_trusted: expected a Narwhals expression as condition"):
        lake.read("accelerometer_trusted", where=condition)


def test_a_condition_that_fails_on_a_value_does_not_tell_it(own):
    """On Spark such a value is null."""
    rows = own.read("customer_trusted", where=stedi.col("email").cast(nw.Int64) > 3)
    with pytest.raises(stedi.EngineError) as told:
        rows.arrow()
    assert "ann" not in str(told.value)


@EMBEDDED
@pytest.mark.parametrize(
    ("table", "near"),
    [("customers_trusted", "customer_trusted"), ("landing.customer_trusted", "customer_trusted"), ("xyz", None)],
)
def test_an_unknown_table_is_told_the_nearest(lake, table, near):
    hint = f"\nhint: did you mean {near}?" if near else ""
    with pytest.raises(stedi.QueryError) as told:
        lake.read(table)
    assert str(told.value) == f"read: expected a table among {', '.join(names())}, got {table!r}{hint}"


@EMBEDDED
def test_a_table_is_named_by_a_text(lake):
    with pytest.raises(stedi.QueryError, match="read: expected the name of a table, got NoneType"):
        lake.read(None)


@EMBEDDED
def test_an_unknown_column_is_told_the_nearest(lake):
    with pytest.raises(stedi.QueryError, match=r"got 'timestmp'\nhint: did you mean timestamp\?$"):
        lake.read("accelerometer_trusted", ["x", "timestmp"])


@EMBEDDED
@pytest.mark.parametrize("columns", [[], "x", ["x", "x"], [1], [["x"]], 5])
def test_columns_are_a_list(lake, columns):
    with pytest.raises(stedi.QueryError, match="expected a list of different columns"):
        lake.read("accelerometer_trusted", columns)


def test_an_earlier_snapshot_can_be_read(lake):
    newest, oldest = lake.snapshots("customer_landing")
    assert (newest.rows, oldest.rows) == (1, 0)
    assert newest.committed_at >= oldest.committed_at
    assert lake.read("customer_landing", snapshot=oldest.id).arrow().num_rows == 0
    rows = lake.read("customer_landing", snapshot=newest.id)
    assert (rows.snapshot, rows.arrow().num_rows) == (newest.id, 1)


def test_a_snapshot_that_is_not_kept_is_an_error(lake):
    with pytest.raises(stedi.LakeError, match=r"^customer_landing: expected a snapshot that is kept, got 5\nhint: "):
        lake.read("customer_landing", snapshot=5)


@EMBEDDED
def test_rows_show_no_value(lake):
    assert repr(lake.read("customer_trusted", ["email"])).endswith(": email>")


def test_batches_are_bounded_and_of_one_snapshot(own):
    """Also if the table moves on, and something else is asked, while they are read."""
    seconds = [reading(PERSON, at(f"10:{i // 60:02}:{i % 60:02}")) for i in range(1_000)]
    write(Path("drops"), landing([], seconds, [], name="2"))
    own.land()
    rows = own.read("accelerometer_landing", ["timestamp"])
    batches = rows.batches(100)
    first = next(batches)
    write(Path("drops"), landing([], [reading(PERSON, at("11:00"))], [], name="3"))
    own.land()
    sizes = [first.num_rows, *(batch.num_rows for batch in batches)]
    assert (sum(sizes), max(sizes) <= 100) == (1_001, True)
    assert rows.arrow().num_rows == 1_001
    for size in (0, "5", 1.5):
        with pytest.raises(stedi.QueryError, match=f"at least 1 row, got {size!r}"):
            next(rows.batches(size))


def test_batches_of_spark_are_bounded_too(lake):
    assert [batch.num_rows for batch in lake.read("customer_trusted").batches(1)] == [1]


# Opening


def test_what_is_read_makes_no_lake(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with stedi.open("nowhere") as lake:
        for ask in (lake.status, lake.maintain, lake.run, lambda: lake.read("customer_trusted")):
            with pytest.raises(stedi.LakeError, match=r"expected a folder with catalog\.db, got none"):
                ask()
    assert list(tmp_path.iterdir()) == []


def test_a_lake_that_is_read_only_is_not_written(lake):
    for write_to in (lake.land, lake.run, lake.maintain):
        with pytest.raises(stedi.LakeError, match="expected a lake that is open for writing"):
            write_to()
    assert [each.action for each in lake.plan()] == ["nothing"] * 5


def test_a_closed_lake_is_not_used(own):
    own.close()
    with pytest.raises(stedi.LakeError, match="expected an open lake, got a closed one"):
        own.status()


def test_rows_of_a_closed_lake_cannot_be_read(own):
    rows = own.read("customer_trusted")
    own.close()
    with pytest.raises(stedi.LakeError, match="expected an open lake, got a closed one"):
        rows.arrow()


@pytest.mark.parametrize("is_closed", [False, True], ids=["read-only", "closed"])
def test_a_lake_that_cannot_be_written_to_makes_no_key(tmp_path, monkeypatch, is_closed):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    lake = stedi.open(tmp_path / "lake", read_only=not is_closed)
    if is_closed:
        lake.close()
    with pytest.raises(stedi.LakeError):
        lake.land(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_key_is_where_the_call_says(tmp_path):
    settings = stedi.Settings(lake=tmp_path, pseudonym_key_file=tmp_path / "key")
    assert stedi.open(settings=settings).settings.pseudonym_key_file == tmp_path / "key"
    secret = {"pseudonym_key_secret": "name"}
    opened = stedi.open(settings=settings, **secret).settings
    assert (opened.pseudonym_key_file, opened.pseudonym_key_secret) == (None, "name")
    with pytest.raises(stedi.SettingsError, match="expected one of them, got both"):
        stedi.open(settings=settings, **secret, pseudonym_key_file="other")


def test_settings_are_settings():
    with pytest.raises(stedi.SettingsError, match="settings: expected Settings, got dict"):
        stedi.open(settings={"lake": "lake"})


def test_settings_may_be_written_down_or_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("stedi.toml").write_text('lake = "of the file"\nconsent = "ever"\n')
    assert stedi.open().settings.lake == "of the file"
    assert stedi.open("mine").settings.lake == "mine"
    assert stedi.open(consent="as-of").settings.consent == "as-of"
    assert stedi.open(settings=stedi.Settings()).settings.consent == "as-of"
    assert stedi.open("mine", settings=stedi.Settings(consent="ever")).settings == stedi.Settings(
        lake="mine", consent="ever"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"engine": "steam"}, "expected one of auto, embedded, spark, got 'steam'"),
        ({"consnt": "ever"}, r"got 'consnt'\nhint: did you mean consent\?$"),
        ({"settings": stedi.Settings(), "config": "x"}, "got 'config'"),
    ],
)
def test_an_unknown_setting_is_an_error(given, message):
    with pytest.raises(stedi.SettingsError, match=message):
        stedi.open("lake", **given)


def test_production_has_the_default_policy_here_too(tmp_path):
    with (
        stedi.open(tmp_path / "lake", consent="ever", environment="prod") as lake,
        pytest.raises(stedi.PolicyError, match="expected consent=as-of pairing=owner in prod"),
    ):
        lake.land(tmp_path / "drops")


def test_a_lake_and_its_drops_are_apart(tmp_path):
    (tmp_path / "customer").mkdir()
    with stedi.open(tmp_path / "lake") as lake, pytest.raises(stedi.LakeError, match="expected a folder apart from"):
        lake.land(tmp_path)
    assert not (tmp_path / "lake").exists()


def test_an_unknown_job_or_source_is_told_the_nearest(own):
    with pytest.raises(stedi.StediError, match=r"did you mean machine_learning_curated\?"):
        own.run(["machine_learning"])
    with pytest.raises(stedi.SettingsError, match=r"did you mean customer\?"):
        own.land(sources=["customers"])


def test_jobs_and_sources_are_lists(own):
    for call in (own.run, own.plan, lambda names: own.land(sources=names)):
        for given in ("machine_learning_curated", 5, [5]):
            with pytest.raises(stedi.QueryError, match="expected a list of names, got"):
                call(given)


def test_an_unknown_refusal_is_raised_after_all_has_landed(own):
    write(Path("drops"), {"customer/2.json": b"{\n", **landing([], [reading(PERSON, at("10:00"))], [], name="2")})
    with pytest.raises(stedi.UnknownRefusalError):
        own.land()
    assert own.read("accelerometer_landing").arrow().num_rows == 2


def test_what_is_done_is_logged_without_values(own, caplog):
    caplog.set_level("INFO", "stedi")
    own.run()
    engine, *records = [record.stedi for record in caplog.records if record.name == "stedi"]
    assert (engine["event"], engine["engine"]) == ("engine", "embedded")
    assert [record["table"] for record in records] == [each.table for each in own.run()]
    assert {(record["command"], record["event"]) for record in records} == {("run", "table")}
    assert records[1]["counts"]["rows_kept"] == 1
    assert "example.org" not in caplog.text


# Importing


def test_importing_it_imports_nothing_that_is_slow():
    script = "import sys, stedi_common; print(*sys.modules)"
    imported = python("-c", script).out.split()
    assert [name for name in imported if name.startswith("stedi_common")] == ["stedi_common"]
    assert not {"narwhals", "pyarrow", "duckdb"} & set(imported)


def test_every_name_is_there():
    assert {name for name in stedi.__all__ if getattr(stedi, name, None) is None} == set()
    assert set(stedi.__all__) <= set(dir(stedi))
    with pytest.raises(AttributeError, match="has no attribute 'opne'"):
        stedi.opne  # noqa: B018 - it raises
