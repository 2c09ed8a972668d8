"""The whole lakehouse: one apply, files dropped, the state machine run, the tables read, and nothing left after it.

The tests tell one story, in the order they stand in: each goes on where the one before has ended.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.code_of_jobs import built, with_a_new_column, with_spark_only
from support.crowds import crowd
from support.deployment import PATIENCE, Deployment, Terraform, localstack
from support.drops import customer, drop, reading, step
from support.inventory import inventory
from support.oracle import COLUMNS, Tables, file_row
from support.oracle import lake as oracle_lake
from support.privileges import calls, grants, refused, too_wide, unused
from support.reference import COUNTS, LANDING, TABLES
from support.reference import drops as reference_drops

from stedi_common.contracts import SOURCES
from stedi_common.incremental.summary import DeletionSummary
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy

pytestmark = pytest.mark.skipif(
    shutil.which("terraform") is None, reason="terraform is not installed (see docs/deploy.md)"
)

Drops = Mapping[str, bytes]
PREFIX = "stedi-test"
LANDINGS = tuple(f"{source}_landing" for source in SOURCES)
#: What a change of code changes: the code, which jobs run it, and that they may read it.
CODE = {"aws_s3_object", "aws_glue_job", "aws_iam_role_policy"}


class Story:
    """The deployment, what has been dropped so far, and what the tables must hold."""

    def __init__(self, deployed: Deployment) -> None:
        self.deployed = deployed
        self._runs: list[Drops] = []
        self._arrivals: list[datetime] = []
        self._unreadable: list[str] = []
        self._expected: Tables | None = None
        self._without_address = 0

    def drop(self, drops: Drops) -> None:
        """Put files where their sources put them. What could not be opened before is overwritten, and lands."""
        self.deployed.drop(drops)
        self._unreadable = [name for name in self._unreadable if name not in drops]
        self._runs.append(drops)
        self._arrivals.append(datetime.now(UTC).replace(tzinfo=None))
        self._expected = None

    def drop_unreadable(self, *names: str) -> None:
        """Put files there that nobody can open."""
        for name in names:
            self.deployed.drop_unreadable(name)
        self._unreadable += names
        self._expected = None

    def expected(self) -> Tables:
        """The tables in plain Python."""
        if self._expected is None:
            self._expected = oracle_lake(self._runs, self._arrivals, Policy(), self.key.content_key, self.key.pseudonym)
            rows = (file_row(name, Counter(), None, "unreadable") for name in self._unreadable)
            self._expected.rows["landed_files"].update(tuple(row[c] for c in COLUMNS["landed_files"]) for row in rows)
        return self._expected

    def run(self) -> None:
        """Run everything. All is done; where nobody knows whose refusal a new line is, the run says so."""
        column = COLUMNS["landed_files"].index("without_address")
        without_address = sum(row[column] * count for row, count in self.expected()["landed_files"].items())
        new, self._without_address = without_address - self._without_address, without_address
        run = self.deployed.ended(self.deployed.start())
        expected = ("FAILED", {"customer_landing"}) if new else ("SUCCEEDED", set())
        assert (run["status"], stale(run.get("cause", ""))) == expected, self.deployed.job_errors()

    @property
    def key(self) -> PseudonymKey:
        """The key that AWS drew."""
        secret = self.deployed.client("secretsmanager").get_secret_value(SecretId=f"{PREFIX}-pseudonym-key")
        return PseudonymKey(bytes.fromhex(secret["SecretString"]))

    def withdrawal(self) -> bytes:
        """The record of somebody who has pairs, and so readings of all kinds, and withdraws now."""
        tables = self.expected()
        named = {
            row[COLUMNS["machine_learning_curated"].index("pseudonym")] for row in tables["machine_learning_curated"]
        }
        emails = sorted(row[COLUMNS["customers_curated"].index("email")] for row in tables["customers_curated"])
        who = next(email for email in emails if self.key.pseudonym(email) in named)
        return drop(customer(who, round(time.time() * 1000)))

    def assert_equal_to_oracle(self) -> None:
        """Every table holds just what the oracle says: counted by Athena, read by PyIceberg."""
        tables = self.expected()
        counts = {table: rows.total() for table, rows in tables.rows.items()}
        assert {table: self.deployed.count(table) for table in COLUMNS} == counts
        for table, columns in COLUMNS.items():
            assert self.deployed.rows(table, columns) == tables[table], table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deployment")


@pytest.fixture(scope="module")
def empty(folder: Path) -> Iterator[Deployment]:
    """An account with nothing in it."""
    with localstack(folder / "state") as endpoint:
        yield Deployment(Terraform(folder, endpoint), endpoint, folder / "state")


@pytest.fixture(scope="module")
def before(empty: Deployment) -> dict[str, set[str]]:
    """What was in it all the same."""
    return inventory(empty)


@pytest.fixture(scope="module")
def story(empty: Deployment, before: dict[str, set[str]], folder: Path) -> Story:
    """The lakehouse, applied."""
    empty.terraform.init()
    empty.apply(prefix=PREFIX, sources=built(folder / "first"))
    return Story(empty)


def test_dropped_files_become_training_pairs(story):
    is_reference = LANDING.is_dir()
    story.drop(reference_drops() if is_reference else crowd(1).runs[0])
    story.run()
    story.assert_equal_to_oracle()
    if is_reference:
        assert tuple(story.expected()[table].total() for table in TABLES) == COUNTS[Policy()]
    # A small night starts no Spark; and every table was maintained in the end.
    assert {engine(story, table) for table in TABLES} == {"embedded"}
    assert story.deployed.metric("NotMaintained", "maintenance") == (1, 0)
    assert story.deployed.terraform.changes() == {}


def test_the_checks_that_people_make_by_hand_find_nothing(story):
    athena = story.deployed.client("athena")
    answers = {}
    for role, workgroup in story.deployed.outputs["workgroups"].items():
        for query in athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]:
            named = athena.get_named_query(NamedQueryId=query)["NamedQuery"]
            answers[named["Name"]] = story.deployed.ask(named["QueryString"], role)
    checks = {name: answer for name, answer in answers.items() if name.startswith("no_")}
    assert len(checks) == 4
    ((outside, people, curated),) = checks.pop("no_pair_outside_curated")
    assert outside == "0"
    assert 0 < int(people) <= int(curated)
    # The others count what should not be there, by table, or list it.
    assert {name: len(answer) for name, answer in checks.items()} == {
        "no_duplicate_customer": 0,
        "no_null_consent": 2,
        "no_reading_before_consent": 2,
    }
    assert {cell for answer in checks.values() for row in answer for cell in row if cell and cell.isdigit()} <= {"0"}
    # Of the one run, and of the table as it was made.
    assert [policy for *_, policy, _ in answers["training_snapshots"]] == [str(Policy()), None]
    counts = {row[-2]: int(row[-1]) for row in answers["counts_per_zone"]}
    assert counts == {table: rows.total() for table, rows in story.expected().rows.items()}


def test_a_changed_wheel_changes_the_jobs_and_lands_a_new_column_beside_the_old(story, folder):
    sources = with_a_new_column(folder / "second", "accelerometer_landing", "temperature")
    changes = story.deployed.terraform.changes(sources=sources)
    assert {re.search(r"\.(aws_\w+)\.", address)[1] for address in changes} == CODE
    story.deployed.apply(sources=sources)
    warm = reading("later@example.org", 1_700_000_000_001) | {"temperature": 21}
    story.drop(
        {
            "customer/later.json": drop(customer("later@example.org", 1_700_000_000_000, 1_700_000_000_000)),
            "accelerometer/later.json": drop(warm) + b'{"user": "half a li',
        }
    )
    story.run()
    story.assert_equal_to_oracle()
    measured = story.deployed.rows("accelerometer_landing", ("user", "temperature"))
    assert {temperature for _, temperature in measured} == {None, 21.0}
    assert measured["later@example.org", 21.0] == 1
    rejected = story.deployed.rows("rejected_records", ("source_file", "source_line"))
    assert rejected["accelerometer/later.json", 2] == 1
    assert story.deployed.terraform.changes() == {}


def test_the_retry_completes_a_job_that_was_killed(story):
    story.drop({"customer/dying.json": drop(customer("dying@example.org", 1_700_000_000_000, 1_700_000_000_000))})
    head = story.deployed.table("landed_files").current_snapshot()
    run = story.deployed.start()
    until(lambda: story.deployed.table("landed_files").current_snapshot() != head)
    # The job's Java, with the Python that it belongs to.
    subprocess.run(["pkill", "-KILL", "-f", f"java.*{story.deployed.state}"], check=True, timeout=PATIENCE)  # noqa: S607
    assert story.deployed.ended(run)["status"] == "SUCCEEDED"
    assert story.deployed.job_states("lakehouse")[:2] == ["SUCCEEDED", "FAILED"]
    story.assert_equal_to_oracle()


@pytest.mark.long  # two executions after one another, each of which takes minutes
def test_two_runs_at_once_and_a_withdrawal_in_between_end_well(story):
    story.drop({"customer/both.json": drop(customer("both@example.org", 1_700_000_000_000, 1_700_000_000_000))})
    withdrawal = story.withdrawal()
    runs = [story.deployed.start()]
    story.drop({"customer/between.json": withdrawal})
    runs.append(story.deployed.start())
    assert [story.deployed.ended(run)["status"] for run in runs] == ["SUCCEEDED"] * 2
    story.assert_equal_to_oracle()


def test_concurrent_runs_of_a_job_lose_duplicate_and_restore_nothing(story):
    """The state machine never does that; somebody may, and then only the catalog stands between them."""
    new = {"customer/twice.json": drop(customer("twice@example.org", 1_700_000_000_000, 1_700_000_000_000))}
    new["accelerometer/twice.json"] = drop(reading("twice@example.org", 1_700_000_000_002))
    story.drop(new | {"customer/leaving.json": story.withdrawal()})
    with story.deployed.allowing("lakehouse", 2):
        runs = [story.deployed.start_job("lakehouse") for _ in range(2)]
        assert [story.deployed.job_ended("lakehouse", run) for run in runs] == ["SUCCEEDED"] * 2
    story.assert_equal_to_oracle()
    assert story.deployed.terraform.changes() == {}


def test_spark_runs_a_large_night_in_the_same_role(story):
    """The job is the same, so what the tests of its role show holds for both engines."""
    new = {"customer/spark.json": drop(customer("spark@example.org", 1_700_000_000_000, 1_700_000_000_000, "serial-s"))}
    new["accelerometer/spark.json"] = drop(reading("spark@example.org", 1_700_000_000_004))
    story.drop(new | {"step_trainer/spark.json": drop(step("serial-s", 1_700_000_000_004))})
    run = story.deployed.start_job("lakehouse", **{"--engine": "spark"})
    assert story.deployed.job_ended("lakehouse", run) == "SUCCEEDED", story.deployed.job_errors()
    assert {engine(story, table) for table in TABLES} == {"spark"}
    story.assert_equal_to_oracle()


def test_a_broken_file_in_each_source_delays_nothing_in_one_job(story):
    messages = story.deployed.subscribe(story.deployed.outputs["topic_arn"])
    # The withdrawal is whole. What is no drop is named with its reason.
    others = {
        "customer/notes.csv": b"a,b\n",
        "elsewhere/reading.json": drop(reading("e@example.org", 1_700_000_000_003)),
    }
    run_with_a_broken_file_in_each_source(story, "one", story.withdrawal(), others)
    assert story.deployed.job_states("lakehouse")[:2] == ["FAILED", "FAILED"]
    (message,) = messages()
    assert stale(message) == set(LANDINGS)
    assert "@" not in message


def test_a_line_that_could_be_anybodys_refusal_is_reported_though_all_has_landed(story):
    before = len(story.deployed.job_states("lakehouse"))
    story.drop({"customer/nobody.json": b'{"email": "half an addr\n', **mended("one")})
    story.run()
    # Another run of the job would have found nothing new, and said nothing.
    assert story.deployed.job_states("lakehouse")[:-before] == ["FAILED"]
    story.assert_equal_to_oracle()


def test_each_run_of_the_one_job_has_maintained_every_table(story):
    """Whatever became of the run itself; but for the one that was killed."""
    ran = story.deployed.job_states("lakehouse")
    assert story.deployed.metric("NotMaintained", "maintenance") == (len(ran) - 1, 0)


def test_the_one_job_may_do_what_it_does_and_nothing_else(story):
    assert_least_privilege(story)


def test_a_broken_file_in_each_source_delays_nothing_in_a_job_per_table(story):
    sources = with_spark_only(story.deployed.terraform.variables["sources"])
    story.deployed.apply(layout="job-per-table", settings="[limits]\nnesting = 90\n", sources=sources)
    messages = story.deployed.subscribe(story.deployed.outputs["topic_arn"])
    had = {table: sum(removals(story, table)) for table in TABLES}
    # Of the withdrawal's line the end is missing: whoever it names is out all the same.
    run_with_a_broken_file_in_each_source(story, "two", story.withdrawal().rstrip()[:-1])
    sent = messages()
    assert len(sent) == len(LANDINGS)
    assert set().union(*map(stale, sent)) == set(LANDINGS)
    assert not [message for message in sent if "@" in message]
    # The others' steps ran, and ran well.
    ran = {job: story.deployed.job_states(job)[0] for job in story.deployed.outputs["jobs"]}
    assert {job for job, state in ran.items() if state != "SUCCEEDED"} == {f"land_{source}" for source in SOURCES}
    # Who has withdrawn had rows in every table, each of which said so before the run said what it has seen.
    for table in TABLES:
        *before, newest = removals(story, table)
        assert (sum(before), newest) == (had[table] + 1, False), table
    assert {engine(story, table) for table in TABLES} == {"spark"}
    assert story.deployed.terraform.changes() == {}


@pytest.mark.long  # minutes for what the one job has shown above
def test_a_job_per_table_lands_what_was_broken_when_it_can_be_read(story):
    story.drop(mended("two"))
    story.run()
    story.assert_equal_to_oracle()
    assert [job for job in story.deployed.outputs["jobs"] if story.deployed.job_states(job)[0] != "SUCCEEDED"] == []


def engine(story, table: str) -> str:
    """The engine that the newest run of the table's job says it was of."""
    snapshots = reversed(story.deployed.table(table).snapshots())
    told = (s.summary.additional_properties.get("stedi.engine") for s in snapshots if s.summary)
    return next(filter(None, told)).split()[0]


def removals(story, table: str) -> list[bool]:
    """Of each of the table's snapshots, oldest first, whether it is of a removal."""
    summaries = (snapshot.summary for snapshot in story.deployed.table(table).snapshots())
    return [DeletionSummary.parse(summary.additional_properties) is not None for summary in summaries if summary]


def run_with_a_broken_file_in_each_source(story, name: str, withdrawal: bytes, others: Drops | None = None) -> None:
    """A run with a withdrawal, new records of each source, and a file in each that nobody can open.

    The execution fails and names the sources. All else is as it should be: who has withdrawn is out of every table.
    """
    (leaving,) = re.findall(rb'"email": "([^"]+)"', withdrawal)
    email, serial, at = f"{name}@example.org", f"serial-{name}", 1_700_000_000_000
    story.drop_unreadable(*broken(name))
    story.drop(
        {
            f"customer/{name}.json": drop(customer(email, at, at, serial)) + withdrawal,
            f"accelerometer/{name}.json": drop(reading(email, at + 10)),
            f"step_trainer/{name}.json": drop(step(serial, at + 10)),
            **(others or {}),
        }
    )
    run = story.deployed.ended(story.deployed.start())
    assert (run["status"], run["error"]) == ("FAILED", "StaleTable")
    assert stale(run["cause"]) == set(LANDINGS)
    story.assert_equal_to_oracle()
    customers = story.deployed.rows("customers_curated", ("email",))
    assert (customers[email,], customers[leaving.decode(),]) == (1, 0)


def broken(name: str) -> list[str]:
    return [f"{source}/{name}-broken.json" for source in SOURCES]


def mended(name: str) -> Drops:
    """The broken files, as somebody can read them."""
    late, at = f"late-{name}@example.org", 1_700_000_000_000
    lines = (customer(late, at, at), reading(late, at + 20), step(f"late-{name}", at + 20))
    return {file: drop(line) for file, line in zip(broken(name), lines, strict=True)}


def stale(text: str) -> set[str]:
    """The tables that a message, or an execution's cause, says are stale."""
    return set(re.findall(r"(\w+) is stale\.", text))


def test_each_job_may_do_what_it_does_and_nothing_else(story):
    assert_least_privilege(story)


def test_no_secret_is_in_the_state_or_a_log(story):
    secret = story.key.secret.hex()
    states = [file.read_text() for file in story.deployed.terraform.folder.rglob("*.tfstate*")]
    assert any(PREFIX in state for state in states)
    assert not any(secret in state for state in states)
    logs = story.deployed.client("logs")
    groups = [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]]
    assert groups
    pages = [page for group in groups for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)]
    said = [event["message"] for page in pages for event in page["events"]]
    assert any('"table"' in message for message in said)
    assert not [message for message in said if secret in message]


def test_destroy_leaves_nothing(story, before):
    story.deployed.terraform.destroy()
    assert inventory(story.deployed) == before


def assert_least_privilege(story: Story) -> None:
    """No call outside the policy, no allowed action that no job uses, nothing wider than AWS makes necessary."""
    iam, requests = story.deployed.client("iam"), story.deployed.requests()
    roles = [job["role_arn"].rpartition("/")[2] for job in story.deployed.outputs["jobs"].values()]
    may = {role: grants(iam, role) for role in roles}
    did = {role: calls(requests, role) for role in roles}
    # What came before had another policy.
    lately = {role: calls(requests[story.deployed.applied :], role) for role in roles}
    assert all(lately.values())
    assert {role: refused(may[role], lately[role]) for role in roles} == {role: set() for role in roles}
    assert {role: too_wide(may[role]) for role in roles} == {role: set() for role in roles}
    allowed = [grant for granted in may.values() for grant in granted]
    assert unused(allowed, set().union(*did.values())) == set()


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.5)
