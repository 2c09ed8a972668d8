"""The ten tables of a lake, as an engine has them and as the oracle computes them."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

from support.histories import History
from support.lakes import rows
from support.oracle import COLUMNS
from support.oracle import lake as oracle_lake

from stedi_common.contracts import contract
from stedi_common.engines.protocol import Engine
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy

#: Rows as tuples, with how often each occurs.
Bag = Counter[tuple[Any, ...]]


def actual_tables(engine: Engine) -> dict[str, Bag]:
    """All ten tables, as they are in the lake."""
    return {table: rows(engine, table, columns) for table, columns in COLUMNS.items()}


def expected_tables(history: History, policy: Policy, key: PseudonymKey) -> dict[str, Bag]:
    """All ten tables, as the oracle computes them."""
    return oracle_lake(history.runs, history.arrived_at, policy, key.content_key, key.pseudonym).rows


def snapshot_ids(engine: Engine) -> dict[str, int]:
    """The current snapshot of each of the ten tables."""
    return {table: engine.head(contract(table)).snapshot_id for table in COLUMNS}


def assert_equal_to_oracle(engine: Engine, drops: Path, arrived_at: datetime, key: PseudonymKey) -> None:
    """The tables are what the oracle computes from all files of the folder, under the default policy."""
    files = {path.relative_to(drops).as_posix(): path.read_bytes() for path in drops.rglob("*.json")}
    assert files, f"no drops in {drops}"
    assert actual_tables(engine) == expected_tables(History((files,), (arrived_at,)), Policy(), key)
