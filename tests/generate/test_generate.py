"""Equal plans make equal drops; the drops are what the plan says, and hold everything that real ones do."""

import errno
import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
from support.processes import PATIENCE

from stedi_common.errors import StediError
from stedi_common.generate import Plan, generate
from stedi_common.generate.draft import draft
from stedi_common.generate.drops import Drops

SMALL = Plan(people=60, readings=4_000, days=5, dirt=0.1, lines_per_file=500)


def test_equal_plans_make_equal_drops_whatever_the_process(tmp_path):
    generate(SMALL, tmp_path / "here")
    imports = "import sys, datetime; from pathlib import Path; from stedi_common.generate import *"
    code = f"{imports}; generate({SMALL!r}, Path(sys.argv[1]))"
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "there")], check=True, env=environment, timeout=PATIENCE)
    assert files(tmp_path / "here") == files(tmp_path / "there")


def test_equal_plans_make_equal_drops_on_every_machine(tmp_path):
    """A change of this digest is a change of everybody's drops: make it on purpose only. (Not of how gzip packs.)"""
    generate(SMALL, tmp_path)
    digest = hashlib.sha256()
    for name, content in sorted(files(tmp_path).items()):
        digest.update(f"{name}\n".encode() + (b"" if name.endswith(".gz") else content))
    assert digest.hexdigest() == "2e176b874bb56f2146116cf20f0bf651ce977adb018eb1cc5b0b7e3eea56113c"


def test_another_seed_makes_other_drops(tmp_path):
    one, two = (generate(replace(SMALL, seed=seed), tmp_path / str(seed)) for seed in (1, 2))
    assert one.policies != two.policies
    assert emails(tmp_path / "1").isdisjoint(emails(tmp_path / "2"))


def test_dirt_loses_no_reading(tmp_path):
    clean, dirty = (generate(replace(SMALL, dirt=dirt), tmp_path / str(dirt)) for dirt in (0, 0.5))
    landed = ("accelerometer_landing", "step_trainer_landing")
    assert [clean.landing[table] for table in landed] == [dirty.landing[table] for table in landed]
    assert clean.landing["rejected_records"] == 0 < dirty.landing["rejected_records"]


def test_there_are_about_as_many_readings_as_planned(tmp_path):
    plan = Plan(readings=100_000, people=300)
    landing = generate(plan, tmp_path).landing
    assert landing["accelerometer_landing"] + landing["step_trainer_landing"] == pytest.approx(100_000, rel=0.1)


def test_under_shared_serials_nobody_knows_whose_device_it_is(tmp_path):
    truth = generate(replace(SMALL, shared_serials=True), tmp_path)
    assert truth.rows("as-of", "owner")["step_trainer_trusted"] == 0
    assert truth.rows("ever", "owner")["step_trainer_trusted"] > 0
    people = people_of(tmp_path)
    assert len({serial for person in people for serial in person["on_record"]}) == SMALL.people // 4
    assert len({serial for person in people for serial in person["devices"]}) > SMALL.people * 0.9


def test_the_four_policies_differ(tmp_path):
    truth = generate(Plan(), tmp_path)
    pairs = [rows["machine_learning_curated"] for rows in truth.policies.values()]
    assert len(set(pairs)) == 4
    assert min(pairs) == truth.rows("as-of", "owner")["machine_learning_curated"] > 0


def test_every_kind_of_person_and_of_dirt_occurs(tmp_path):
    plan = Plan(people=500, readings=200_000, days=30, dirt=0.1, lines_per_file=1_000, without_address=True)
    truth = generate(plan, tmp_path)
    assert truth.people
    assert all(truth.people.values())
    reasons = Counter()
    for drop in truth.files:
        reasons.update(drop.counts.rejected)
    assert set(reasons) == {
        *("invalid_utf8", "truncated", "broken_json", "not_an_object", "corrupt_gzip"),
        *("missing_value", "unreadable_value", "wrong_instant", "duplicate_key"),
    }
    for count in ("landed", "duplicate", "blank", "nulled_values", "doubtful", "without_address"):
        assert sum(getattr(drop.counts, count) for drop in truth.files) > 0
    plain = [content for name, content in files(tmp_path).items() if name.endswith(".json")]
    assert any(content.startswith(b"\xef\xbb\xbf") for content in plain)
    assert any(b"\r\n" in content for content in plain)
    assert any(not content for content in plain)
    assert any(not content.endswith(b"\n") for content in plain)


def test_no_customer_line_is_about_nobody_unless_planned(tmp_path):
    truth = generate(replace(SMALL, people=400, dirt=0.5), tmp_path)
    assert truth.doubt["doubtful"] > 20
    assert truth.doubt["without_address"] == 0
    assert all(not drop.counts.rejected for drop in truth.files if drop.source == "customer")


def test_somebody_is_out_by_doubt_in_the_demonstration(tmp_path):
    doubt = generate(Plan(), tmp_path).doubt
    assert doubt["doubtful"] >= doubt["people_out"] > 0 == doubt["without_address"]
    assert sum(person["in_doubt"] for person in people_of(tmp_path)) > 0


def test_a_clean_plan_has_nothing_to_reject_and_nothing_twice(tmp_path):
    truth = generate(replace(SMALL, dirt=0), tmp_path)
    assert {drop.name for drop in truth.files} == {name for name in files(tmp_path) if not name.startswith("truth")}
    assert all(drop.counts.landed == drop.counts.lines > 0 for drop in truth.files)
    for name, content in files(tmp_path).items():
        if not name.startswith("truth"):
            lines = (gzip.decompress(content) if name.endswith(".gz") else content).splitlines()
            assert all(isinstance(json.loads(line), dict) for line in lines)


def test_the_truth_is_written_beside_the_drops(tmp_path):
    truth = generate(SMALL, tmp_path)
    written = json.loads((tmp_path / "truth" / "truth.json").read_text())
    assert written == truth.as_json()
    assert len(people_of(tmp_path)) == SMALL.people
    assert {file["file"] for file in written["files"]} == {n for n in files(tmp_path) if not n.startswith("truth")}


def test_progress_is_reported_to_the_end(tmp_path):
    progress = []
    generate(SMALL, tmp_path, lambda done, total: progress.append((done, total)))
    assert progress == sorted(progress)
    assert progress[-1][0] == progress[-1][1] > 0


@pytest.mark.parametrize("plan", [Plan(people=1, readings=100, days=1), Plan(people=3, readings=0, days=1, dirt=0.5)])
def test_the_smallest_plans_can_be_made(tmp_path, plan):
    truth = generate(plan, tmp_path)
    assert (truth.landing["accelerometer_landing"] > 0) == (plan.readings > 0)


def test_drops_are_never_written_among_others(tmp_path):
    generate(SMALL, tmp_path)
    with pytest.raises(StediError, match=r"expected no drops in .*\nhint: "):
        generate(SMALL, tmp_path)


def test_drops_are_there_when_all_are_written(tmp_path, monkeypatch):
    """A landing, or the next demonstration, would take the first files for all."""
    write = Drops._write

    def fails(drops, *of_file):
        if drops._source == "step_trainer":
            raise OSError(errno.ENOSPC, "full")
        write(drops, *of_file)

    monkeypatch.setattr(Drops, "_write", fails)
    with pytest.raises(OSError, match="full"):
        generate(SMALL, tmp_path)
    assert not files(tmp_path)


def test_what_a_killed_process_has_generated_is_removed(tmp_path):
    left = tmp_path / ".generating" / "customer" / "2026-01-01" / "1.json"
    left.parent.mkdir(parents=True)
    left.touch()
    truth = generate(SMALL, tmp_path)
    assert files(tmp_path).keys() == {*(file.name for file in truth.files), "truth/truth.json", "truth/people.jsonl"}


def test_two_commands_do_not_generate_into_one_folder_at_once(tmp_path):
    with draft(tmp_path, ()), pytest.raises(StediError, match=r"expected no other command .*, got one\nhint: wait"):
        generate(SMALL, tmp_path)
    generate(SMALL, tmp_path)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"people": 0}, {"readings": -1}, {"days": 0}, {"seed": -1}, {"dirt": 0.6}, {"lines_per_file": 0}),
        *({"lines_per_file": 10**9}, {"start": date(2001, 1, 1)}, {"start": date(2999, 1, 1)}),
    ],
    ids=str,
)
def test_a_plan_that_cannot_be_is_refused(wrong):
    with pytest.raises(StediError, match="plan: expected"):
        Plan(**wrong)


def test_more_than_people_can_walk_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(StediError, match=r"expected at most \d+ readings of 1 people .*\nhint: more people"):
        generate(Plan(people=1, readings=10_000_000), tmp_path)
    assert not files(tmp_path)


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def people_of(folder):
    return [json.loads(line) for line in (folder / "truth" / "people.jsonl").read_text().splitlines()]


def emails(folder):
    return {person["email"] for person in people_of(folder)}
