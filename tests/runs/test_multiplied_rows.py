"""A function that makes rows several times, or loses some, commits nothing."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

import narwhals as nw
import pytest
from support.lakes import land, rows, run, write
from support.withdrawals import ARRIVAL, BOB_WALKS_ONCE, CONSENTING

from stedi_common.contracts import contract
from stedi_common.errors import MultipliedRowsError
from stedi_common.rules.frames import Frame
from stedi_common.rules.lineage import JOBS, Job
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor

READINGS = contract("accelerometer_trusted")
FAULTS: dict[str, Callable[[Frame], Frame]] = {
    "twice": lambda frame: nw.concat([frame, frame]),
    "never": lambda frame: frame.filter(nw.col("user") != nw.col("user")),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
def test_a_function_that_gives_more_or_fewer_rows_commits_nothing(engine, tmp_path, key, fault):
    write(tmp_path / "drops", CONSENTING)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    run(engine, Policy(), key)
    write(tmp_path / "drops", BOB_WALKS_ONCE)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    head, before = engine.head(READINGS), rows(engine, READINGS.name)
    with pytest.raises(MultipliedRowsError, match=f"{READINGS.made_by}: expected 3 classified rows, got"):
        executor.run(engine, Job(with_fault(JOBS[READINGS.made_by].function, fault)), Policy(), key)
    assert (engine.head(READINGS), rows(engine, READINGS.name)) == (head, before)


def with_fault(function, fault):
    @wraps(function)
    def faulty(*sources, **parameters):
        classified = function(*sources, **parameters)
        return replace(classified, rows=fault(classified.rows))

    return faulty
