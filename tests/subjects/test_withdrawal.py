"""A withdrawal that a person asks for: the tables are those of a full rebuild, on both engines."""

from datetime import timedelta

import pytest
from support.lakes import land, play, rows, run
from support.withdrawals import ANN, ARRIVAL, BOB, CONSENTING, WHOSE

from stedi_common.errors import SubjectError
from stedi_common.rules.policy import Policy
from stedi_common.subjects import expect_no_rows, subject_of, write_refusal

LATER = ARRIVAL + timedelta(hours=1)


@pytest.fixture
def lake(engine, tmp_path, key):
    play(engine, tmp_path / "drops", [CONSENTING], [ARRIVAL], Policy(), key)
    return engine


def test_the_refusal_takes_every_row_of_the_person_and_none_of_others(lake, tmp_path, key):
    others = {table: rows(lake, table) for table in WHOSE}
    ann = subject_of(lake, key, address_=ANN)
    with pytest.raises(SubjectError, match=r"expected no rows of the person .* 3 of curated\.machine_learning_curated"):
        expect_no_rows(lake, ann)
    write_refusal(ann, str(tmp_path / "drops"), LATER)
    land(lake, tmp_path / "drops", key, LATER)
    run(lake, Policy(), key)
    expect_no_rows(lake, ann)
    bob = subject_of(lake, key, address_=BOB)
    for table, before in others.items():
        assert 0 < len(rows(lake, table)) < len(before)
        assert all(row in before for row in rows(lake, table))
    with pytest.raises(SubjectError, match="expected no rows of the person"):
        expect_no_rows(lake, bob)


def test_a_pseudonym_without_an_address_writes_nothing(lake, tmp_path, key):
    unknown = subject_of(lake, key, pseudonym="0" * 64)
    with pytest.raises(SubjectError, match="whose address has landed"):
        write_refusal(unknown, str(tmp_path / "drops"), LATER)
    assert not (tmp_path / "drops/customer/withdrawals").exists()
