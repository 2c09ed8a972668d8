"""The rows of a table at a snapshot, in the form that a notebook or a job wants."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import narwhals as nw
import pyarrow as pa
from narwhals.exceptions import ColumnNotFoundError, NarwhalsError

from stedi_common.contracts import Contract, contract, names
from stedi_common.engines.protocol import Engine, Head
from stedi_common.engines.storage.parquet import ARROW
from stedi_common.errors import QueryError, nearest

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

#: At most so many rows are in a batch, if nobody says otherwise.
BATCH_ROWS = 64 * 1024


class Rows:
    """Rows of one snapshot. They are read each time they are asked for.

    Attributes:
        table: the table's zone and name.
        snapshot: the id of its snapshot.
        columns: the names of the columns, in order.
    """

    def __init__(
        self,
        opened: Callable[[], Engine],
        table: Contract,
        head: Head,
        columns: Sequence[str],
        where: nw.Expr | None,
    ) -> None:
        self.table, self.snapshot, self.columns = table.identifier, head.snapshot_id, tuple(columns)
        self._opened, self._contract, self._head, self._where = opened, table, head, where

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """The rows as Arrow record batches. Memory holds a few of them at a time, however many rows there are.

        Args:
            rows: how many rows a batch has at most.

        Raises:
            LakeError: the lake is closed.
            EngineError: the engine failed.

        Examples:
            >>> sum(batch.num_rows for batch in lake.read("accelerometer_trusted").batches())
            1
        """
        if type(rows) is not int or rows < 1:
            raise QueryError(f"{self.table}: expected batches of at least 1 row, got {rows!r}")
        schema, engine = self._schema, self._opened()
        frame = engine.read(self._contract, self._head)
        if self._where is not None:
            frame = frame.filter(self._where)
        for batch in engine.batches(frame.select(*self.columns), rows):
            yield batch.cast(schema)

    def arrow(self) -> pa.Table:
        """The rows as a PyArrow table.

        Examples:
            >>> lake.read("accelerometer_trusted", columns=["user", "x"]).arrow().column_names
            ['user', 'x']
        """
        return pa.Table.from_batches(self.batches(), self._schema)

    def pandas(self) -> pd.DataFrame:
        """The rows as a pandas data frame. pandas must be installed.

        Examples:
            >>> len(lake.read("accelerometer_trusted").pandas())
            1
        """
        return self.arrow().to_pandas()

    def polars(self) -> pl.DataFrame:
        """The rows as a Polars data frame. Polars must be installed.

        Examples:
            >>> lake.read("accelerometer_trusted").polars().height
            1
        """
        import polars as pl  # noqa: PLC0415 - only who asks for it needs it

        frame = pl.from_arrow(self.arrow())
        assert isinstance(frame, pl.DataFrame)  # noqa: S101 - of a table it is one
        return frame

    def __repr__(self) -> str:
        """Which rows these are, and none of their values."""
        return f"<Rows of {self.table} at {self.snapshot}: {', '.join(self.columns)}>"

    @property
    def _schema(self) -> pa.Schema:
        types = {column.name: ARROW[column.type] for column in self._contract.columns}
        return pa.schema([(name, types[name]) for name in self.columns])


def table_of(name: str) -> Contract:
    """The table of this name, with or without its zone. Raises QueryError for an unknown one, with the nearest."""
    if not isinstance(name, str):
        raise QueryError(f"read: expected the name of a table, got {type(name).__name__}")
    zone, _, short = name.rpartition(".")
    known = {each: contract(each) for each in names()}
    if short in known and zone in {"", known[short].zone}:
        return known[short]
    raise QueryError(f"read: expected a table among {', '.join(known)}, got {name!r}", nearest(short, known))


def columns_of(table: Contract, chosen: Sequence[str] | None) -> Sequence[str]:
    """These columns of the table; all of them for None. Raises QueryError for an unknown one, with the nearest."""
    if chosen is None:
        return table.names
    names = _texts(chosen)
    if not names or len(set(names)) < len(names):
        raise QueryError(f"{table.name}: expected a list of different columns, got {chosen!r}")
    for name in names:
        _expect_column(table, name)
    return names


def names_of(command: str, given: Iterable[str]) -> tuple[str, ...]:
    """The names of jobs or sources. Raises QueryError if they are none: a text is not a list of its letters."""
    names = _texts(given)
    if names is None:
        raise QueryError(f"{command}: expected a list of names, got {given!r}")
    return names


def _texts(given: Any) -> tuple[str, ...] | None:
    """The texts; None if it is no list of texts."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        return None
    names = tuple(given)
    return names if all(isinstance(name, str) for name in names) else None


def expect_condition(table: Contract, where: Any) -> None:
    """Raise QueryError if it is no condition on a row of the table: it is tried on a table without rows."""
    expected = f"{table.name}: expected a Narwhals expression as condition"
    if not isinstance(where, nw.Expr):
        raise QueryError(f"{expected}, got {type(where).__name__}", "as in where=stedi_common.col('x') > 0")
    empty = pa.schema([(column.name, ARROW[column.type]) for column in table.columns]).empty_table()
    try:
        nw.from_native(empty).filter(where)
    except ColumnNotFoundError as error:
        for name in re.findall(r"'([^']*)'", str(error).partition("\n")[0]):
            _expect_column(table, name)
        raise QueryError(f"{expected}, got one on unknown columns") from None
    except (NarwhalsError, pa.ArrowException, TypeError, ValueError) as error:
        # Its message may quote the values that are compared with.
        hint = "compare columns with values of their own type"
        raise QueryError(f"{expected}, got one that fails with {type(error).__name__}", hint) from None


def _expect_column(table: Contract, name: str) -> None:
    if name not in table.names:
        expected = f"{table.name}: expected a column among {', '.join(table.names)}"
        raise QueryError(f"{expected}, got {name!r}", nearest(name, table.names))
