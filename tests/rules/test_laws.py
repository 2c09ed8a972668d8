"""What is true of every history on both engines: the tables are the oracle's, and each promise, checked directly."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from support.comparison import Bag, actual_tables, expected_tables, snapshot_ids
from support.crowds import POLICIES, crowd, in_pieces
from support.histories import History
from support.lakes import SLOW_ON_SPARK, land, opening, play, rows, run, write
from support.oracle import COLUMNS
from support.reference import TABLES as GOVERNED

from stedi_common.contracts import contract
from stedi_common.engines import ENGINES
from stedi_common.engines.protocol import Engine
from stedi_common.generate import Plan, generate
from stedi_common.rules.policy import Policy

RECORDS = ("customer_landing", "accelerometer_landing", "step_trainer_landing")
EVER = Policy("ever", "timestamp")


@dataclass(frozen=True)
class Played:
    """A crowd that has landed, and its tables under the default policy."""

    engine: Engine
    drops: Path
    history: History


@pytest.fixture(scope="module")
def played(engine_name, tmp_path_factory, key) -> Iterator[Played]:
    folder, history = tmp_path_factory.mktemp(engine_name), crowd(1)
    with opening() as connect_to:
        engine = connect_to(engine_name, folder / "lake")
        play(engine, folder / "drops", history.runs, history.arrived_at, Policy(), key)
        yield Played(engine, folder / "drops", history)


# Against the oracle

#: Spark alone makes what `test_one_engine_lands_and_the_other_makes_the_same_tables` looks at.
FAST = {"embedded": 8, "spark": 0}
SLOW = {"embedded": 100, "spark": 8}
EXAMPLES = [
    *((name, n) for name in ENGINES for n in range(FAST[name])),
    *(pytest.param(name, n, marks=pytest.mark.long) for name in ENGINES for n in range(FAST[name], SLOW[name])),
]


@pytest.fixture
def history(request) -> History:
    return crowd(request.param)


@pytest.mark.parametrize(("engine_name", "history"), EXAMPLES, indirect=True)
def test_every_table_is_the_oracles_under_every_policy(engine, tmp_path, key, monkeypatch, history):
    # The tables of customers are cached, those of readings computed twice.
    monkeypatch.setattr("stedi_common.engines.embedded.engine.MAX_CACHED_ROWS", 50)
    for drops, arrival in zip(history.runs, history.arrived_at, strict=True):
        write(tmp_path / "drops", drops)
        land(engine, tmp_path / "drops", key, arrival)
    for policy in POLICIES:
        run(engine, policy, key, rebuild=True)
        assert actual_tables(engine) == expected_tables(history, policy, key)


def test_one_engine_lands_and_the_other_makes_the_same_tables(connect_to, tmp_path, key):
    history, made = crowd(2), []
    for landing, making in (ENGINES, reversed(ENGINES)):
        drops, lake = tmp_path / landing / "drops", tmp_path / landing / "lake"
        for run_of_drops, arrival in zip(history.runs, history.arrived_at, strict=True):
            write(drops, run_of_drops)
            land(connect_to(landing, lake), drops, key, arrival)
        run(connect_to(making, lake), Policy(), key)
        made.append([actual_tables(connect_to(name, lake)) for name in ENGINES])
    assert made == [[expected_tables(history, Policy(), key)] * 2] * 2


# Checked directly


@pytest.mark.rule(5)
def test_every_reading_in_research_has_a_consent_that_covers_it(played, key):
    covered = consents(played.engine)
    assert all(covered(user, at) for user, at in bag(played, "accelerometer_trusted", "user", "timestamp"))
    people = {key.pseudonym(email): email for (email,) in bag(played, "customer_landing", "email")}
    pairs = bag(played, "machine_learning_curated", "pseudonym", "timestamp")
    assert pairs
    assert all(covered(people[pseudonym], at) for pseudonym, at in pairs)


@pytest.mark.rule(7)
def test_every_step_in_research_has_one_claimant_whose_consent_covers_it(played):
    covered, claimants = consents(played.engine), defaultdict(set)
    for serial, email in bag(played, "customer_landing", "serialnumber", "email"):
        claimants[serial].add(email)
    steps = bag(played, "step_trainer_trusted", "serialnumber", "sensorreadingtime")
    assert steps
    for serial, at in steps:
        (claimant,) = claimants[serial]
        assert covered(claimant, at)


@pytest.mark.rule(9)
def test_no_row_is_multiplied_or_invented(played):
    assert_nothing_multiplied(played.engine)


@pytest.mark.parametrize(
    ("engine_name", "policy"),
    [("embedded", Policy()), ("embedded", Policy("ever")), ("spark", Policy())],
    indirect=["engine_name"],
    ids=str,
)
def test_the_serial_defect_multiplies_nothing(engine, tmp_path, key, policy):
    generate(Plan(people=12, readings=600, days=2, shared_serials=True), tmp_path / "drops")
    land(engine, tmp_path / "drops", key, datetime(2024, 4, 1))
    run(engine, policy, key)
    assert_nothing_multiplied(engine)


@pytest.mark.rule(13)
def test_running_twice_changes_nothing(played, key):
    before = snapshot_ids(played.engine)
    landed = land(played.engine, played.drops, key, played.history.arrived_at[-1])
    outcomes = run(played.engine, Policy(), key)
    assert not any(result.files for result in landed)
    assert not any(outcome.changed for outcome in outcomes)
    assert snapshot_ids(played.engine) == before


@SLOW_ON_SPARK
@pytest.mark.rule(11)
def test_another_policy_rebuilds_all_five_and_there_is_a_way_back(played, key):
    before = actual_tables(played.engine)
    assert all(outcome.changed for outcome in run(played.engine, EVER, key, rebuild=True))
    assert {played.engine.head(contract(table)).summary["stedi.policy"] for table in GOVERNED} == {str(EVER)}
    assert actual_tables(played.engine) != before
    assert all(outcome.changed for outcome in run(played.engine, Policy(), key, rebuild=True))
    assert actual_tables(played.engine) == before


@SLOW_ON_SPARK
def test_how_drops_are_put_into_runs_changes_no_governed_table(connect, tmp_path, key):
    made = []
    for pieces in (1, 5):
        history = in_pieces(crowd(3), pieces)
        engine = connect(tmp_path / f"lake{pieces}")
        play(engine, tmp_path / f"drops{pieces}", history.runs, history.arrived_at, Policy(), key)
        made.append({table: rows(engine, table, COLUMNS[table]) for table in GOVERNED})
    assert made[0] == made[1]


@pytest.mark.rule(12)
def test_every_line_is_accounted_for(played):
    fates = ("landed", "rejected", "duplicate", "suppressed", "blank")
    files = bag(played, "landed_files", "source_file", "lines", *fates)
    assert files
    assert all(lines == sum(counts) for _, lines, *counts in files)
    landed: Bag = sum((bag(played, table, "source_file") for table in RECORDS), Counter())
    rejected = bag(played, "rejected_records", "source_file")
    # A file that came again with other content has landed twice.
    counted: dict[str, Bag] = {fate: Counter() for fate in fates}
    for (name, _, *counts), times in files.items():
        for fate, count in zip(fates, counts, strict=True):
            counted[fate][name,] += count * times
    assert (landed, rejected) == (+counted["landed"], +counted["rejected"])


def bag(played: Played, table: str, *columns: str) -> Bag:
    return rows(played.engine, table, columns)


def consents(engine: Engine) -> Callable[[str, datetime], bool]:
    """Whether a person's lines cover an instant: all of the latest records consent, no later than that, nobody refused
    after it, and a record has arrived after each line that suspends."""
    records, doubtful = defaultdict(list), defaultdict(list)
    columns = ("email", "doubt", "arrived_at", "lastupdatedate", "sharewithresearchasofdate")
    for email, doubt, *line in rows(engine, "customer_landing", columns):
        (doubtful if doubt else records)[email].append(line)

    def covered(email: str, at: datetime) -> bool:
        latest = max(made for _, made, _ in records[email])
        current = [consent for _, made, consent in records[email] if made == latest]
        refused = [made for _, made, consent in records[email] if consent is None]
        refused += [arrived for arrived, _, consent in doubtful[email] if consent is None]
        last = max(arrived for arrived, _, _ in records[email])
        is_lifted = all(arrived < last for arrived, _, consent in doubtful[email] if consent is not None)
        return is_lifted and None not in current and max(current) <= at and all(made <= at for made in refused)

    return covered


def assert_nothing_multiplied(engine: Engine) -> None:
    for made, source in (
        ("customer_trusted", "customer_landing"),
        ("customers_curated", "customer_trusted"),
        ("accelerometer_trusted", "accelerometer_landing"),
        ("step_trainer_trusted", "step_trainer_landing"),
    ):
        columns = [name for name in contract(made).names if name in contract(source).names]
        assert rows(engine, made, columns) <= rows(engine, source, columns)
    steps = rows(engine, "step_trainer_trusted", ("sensorreadingtime", "distancefromobject"))
    moves = rows(engine, "accelerometer_trusted", ("timestamp", "x", "y", "z"))
    assert moves
    pairs: Bag = Counter()
    for (at, distance), n in steps.items():
        for (instant, *xyz), m in moves.items():
            if at == instant:
                pairs[at, distance, *xyz] += n * m
    assert rows(engine, "machine_learning_curated", ("timestamp", "distancefromobject", "x", "y", "z")) <= pairs
