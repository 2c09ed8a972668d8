"""From a query's text to DuckDB's SQL and the scans that feed it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
from sqlglot import exp
from sqlglot.errors import OptimizeError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.qualify_tables import qualify_tables
from sqlglot.optimizer.scope import Scope, traverse_scope, walk_in_scope
from sqlglot.schema import MappingSchema

from . import checks, functions
from .dialect import AthenaSql, TrinoOnDuckDB, check_functions, parse, refuse_foreign, where
from .exceptions import MalformedQueryError, QueryError, column_not_found
from .forms import canonical

Type = exp.DataType.Type


@dataclass(frozen=True)
class Predicate:
    """A comparison of a column with constants, which every row that counts fulfils."""

    column: str
    operator: type[exp.Expression]
    values: tuple[Any, ...] = ()


class Scan(Protocol):
    """What one mention of a table reads."""

    @property
    def bytes(self) -> int:
        """How much that is."""

    def open(self) -> pa.RecordBatchReader:
        """The rows, from the first one on; nothing is read before the reader is."""


class Relation(Protocol):
    """A table."""

    @property
    def columns(self) -> dict[str, exp.DataType]:
        """Their types by their names."""

    def scan(self, columns: list[str], predicates: list[Predicate]) -> Scan:
        """Some of its columns, of at least the rows that fulfil all predicates."""


@dataclass(frozen=True)
class View:
    """A query with a name."""

    sql: str
    catalog: str
    database: str


@dataclass(frozen=True)
class Name:
    """What a query calls a table, and when and where it calls it."""

    catalog: str
    database: str
    table: str
    position: str = ""
    version: tuple[str, Any] | None = None
    """`("TIMESTAMP", datetime)` or `("VERSION", 123)`, for time travel."""


Resolve = Callable[[Name], Relation | View]
Evaluate = Callable[[str], Any]


@dataclass(frozen=True)
class Output:
    """A column of the result."""

    label: str
    type: exp.DataType | None
    zone: str | None = None


@dataclass
class Plan:
    """All that is needed to run a query."""

    sql: str
    outputs: list[Output]
    scans: dict[str, Scan] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """What the scans read."""
        return sum(scan.bytes for scan in self.scans.values())


@dataclass(frozen=True)
class Planner:
    """Plans queries in one catalog and database."""

    catalog: str
    database: str
    resolve: Resolve
    evaluate: Evaluate
    """The value of an expression in DuckDB's SQL."""

    def plan(self, sql: str, query: exp.Expression) -> Plan:
        """Plan a query that has been parsed from this text."""
        refuse_foreign(query)
        tree = _as_select(query)
        _remember_labels(tree)
        tree = self._qualified_tables(sql, tree)
        relations = self._relations(sql, tree)
        schema = MappingSchema(
            {name: relation.columns for name, relation in relations.items()}, dialect=AthenaSql, normalize=False
        )
        tree = _qualified(sql, tree, schema)
        checks.check(sql, tree)
        outputs = [_output(sql, i, selection) for i, selection in enumerate(tree.selects)]
        for cte in tree.find_all(exp.CTE):
            # Read once, as its bytes are counted.
            cte.set("materialized", True)
        scans = self._scans(tree, relations)
        return Plan(tree.sql(dialect=TrinoOnDuckDB), outputs, scans)

    def _qualified_tables(self, sql: str, query: exp.Query) -> exp.Query:
        tree = normalize_identifiers(canonical(query), dialect=AthenaSql)
        check_functions(sql, tree)
        # As identifiers: a string would be parsed, and have a position.
        database, catalog = exp.to_identifier(self.database), exp.to_identifier(self.catalog)
        return qualify_tables(tree, db=database, catalog=catalog, dialect=AthenaSql)

    def _relations(self, sql: str, tree: exp.Query) -> dict[str, Relation]:
        """Give each mention of a table a name of its own; views become subqueries."""
        relations: dict[str, Relation] = {}
        for table in [table for table in tree.find_all(exp.Table) if table.db]:
            found = self.resolve(self._name(sql, table))
            if isinstance(found, View):
                relations |= self._expand(table, found)
                continue
            name = f"scan_{id(table)}"
            relations[name] = found
            table.set("this", exp.to_identifier(name))
            for part in ("db", "catalog", "version"):
                table.set(part, None)
        return relations

    def _expand(self, table: exp.Table, view: View) -> dict[str, Relation]:
        planner = Planner(view.catalog, view.database, self.resolve, self.evaluate)
        tree = planner._qualified_tables(view.sql, _as_select(parse(view.sql)))
        relations = planner._relations(view.sql, tree)
        table.replace(exp.Subquery(this=tree, alias=table.args.get("alias"), joins=table.args.get("joins")))
        return relations

    def _name(self, sql: str, table: exp.Table) -> Name:
        version = table.args.get("version")
        at = None
        if version:
            at = (version.name.upper(), self.evaluate(version.expression.sql(dialect=TrinoOnDuckDB)))
        return Name(table.catalog, table.db, table.name, where(sql, table), at)

    def _scans(self, tree: exp.Query, relations: Mapping[str, Relation]) -> dict[str, Scan]:
        mentioned = [(column.table, column.name) for column in tree.find_all(exp.Column)]
        scans = {}
        for scope in traverse_scope(tree):
            for alias, (_, source) in scope.selected_sources.items():
                if isinstance(source, exp.Table) and (relation := relations.get(source.name)):
                    used = {name for table, name in mentioned if table in {alias, ""}}
                    columns = [column for column in relation.columns if column in used]
                    scans[source.name] = relation.scan(columns, list(self._predicates(scope, alias)))
        return scans

    def _predicates(self, scope: Scope, alias: str) -> Iterable[Predicate]:
        """Comparisons that are false for NULL: they can go below a join of any kind."""
        condition = scope.expression.args.get("where")
        for part in (
            condition.this.flatten()
            if condition and isinstance(condition.this, exp.And)
            else [condition and condition.this]
        ):
            found = part and predicate(part.unnest(), alias)
            if found:
                column, operator, constants = found
                yield Predicate(column, operator, tuple(self.evaluate(c.sql(dialect=TrinoOnDuckDB)) for c in constants))


FLIPPED = {exp.LT: exp.GT, exp.LTE: exp.GTE, exp.GT: exp.LT, exp.GTE: exp.LTE, exp.EQ: exp.EQ}


def predicate(node: exp.Expression, alias: str) -> tuple[str, type[exp.Expression], list[exp.Expression]] | None:
    """The column, operator and constants of a comparison that is as simple as that."""
    match node:
        case exp.EQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
            for operator, column, constant in (
                (type(node), node.left, node.right),
                (FLIPPED[type(node)], node.right, node.left),
            ):
                if _is_column(column, alias) and _is_constant(constant):
                    return column.name, operator, [constant]
        case exp.Between() if _is_column(node.this, alias):
            constants = [node.args["low"], node.args["high"]]
            if all(map(_is_constant, constants)):
                return node.this.name, exp.Between, constants
        case exp.In() if _is_column(node.this, alias) and node.expressions and all(map(_is_constant, node.expressions)):
            return node.this.name, exp.In, node.expressions
        case exp.Not(this=exp.Is(this=column, expression=exp.Null())) if _is_column(column, alias):
            return column.name, exp.Not, []
    return None


def _is_column(node: exp.Expression, alias: str) -> bool:
    return isinstance(node, exp.Column) and node.table == alias


def _is_constant(node: exp.Expression) -> bool:
    return not node.find(exp.Column, exp.Query, exp.Null, exp.AggFunc, exp.Window)


def _as_select(query: exp.Expression) -> exp.Query:
    query = query.unnest()
    if isinstance(query, exp.Values):
        row = query.expressions[0]
        names = [
            exp.to_identifier(f"_col{i}") for i in range(len(row.expressions) if isinstance(row, exp.Tuple) else 1)
        ]
        query.set("alias", exp.TableAlias(this=exp.to_identifier("v"), columns=names))
        return exp.select(*(exp.column(name.copy(), "v") for name in names)).from_(query)
    if not isinstance(query, exp.Query):
        raise MalformedQueryError("Queries of this type are not supported")
    return query


def _remember_labels(tree: exp.Query) -> None:
    """A column is called as it was written, in the case it was written in."""
    for selection in tree.selects:
        if not selection.is_star:
            written = isinstance(selection, exp.Alias | exp.Column | exp.Dot)
            selection.meta["label"] = selection.alias_or_name if written else ""


def _output(sql: str, i: int, selection: exp.Expression) -> Output:
    if selection.is_star:
        raise QueryError("NOT_SUPPORTED", "* over LATERAL: name the columns", where(sql, selection))
    value = selection.unalias()
    label = selection.meta.get("label", value.meta.get("label"))
    if label is None:
        label = selection.alias_or_name
    kind = exp.DataType.build("NULL") if isinstance(value, exp.Null) else value.type
    return Output(label or f"_col{i}", kind, checks.zone(value))


def _qualified(sql: str, tree: exp.Query, schema: MappingSchema) -> exp.Query:
    try:
        tree = qualify(  # type: ignore[assignment]
            tree,
            schema=schema,
            dialect=AthenaSql,
            expand_alias_refs=False,
            infer_schema=False,
            validate_qualify_columns=False,
        )
    except OptimizeError as error:
        _, _, name = str(error).rpartition(": ")
        column = next((column for column in tree.find_all(exp.Column) if column.name == name), None)
        if column is None:
            raise QueryError("NOT_SUPPORTED", str(error)) from error
        raise column_not_found(".".join(part.name for part in column.parts), where(sql, column)) from None
    _check_columns(sql, tree, schema)
    for column in tree.find_all(exp.Column):
        column.set("db", None)
        column.set("catalog", None)
    return annotate_types(tree, schema=schema, dialect=AthenaSql, annotators=ANNOTATORS)


def _check_columns(sql: str, tree: exp.Query, schema: MappingSchema) -> None:
    for scope in traverse_scope(tree):
        if not isinstance(scope.expression, exp.Select):
            continue
        columns = {alias: _columns(source, schema) for alias, (_, source) in scope.selected_sources.items()}
        unknown = [] if scope.is_correlated_subquery else scope.external_columns
        for column in [*scope.columns, *unknown, *_in_having(scope)]:
            if column.table and column.table not in columns and column not in unknown:
                continue  # it is of a query around this one
            name = ".".join(part.name for part in column.parts)
            candidates = {alias: names for alias, names in columns.items() if column.table in {alias, ""}}
            owners = [alias for alias, names in candidates.items() if names and column.name in names]
            if not owners and None not in candidates.values():
                raise column_not_found(name, where(sql, column))
            if len(owners) > 1:
                raise QueryError("AMBIGUOUS_NAME", f"Column '{name}' is ambiguous", where(sql, column))
            if owners:
                column.set("table", exp.to_identifier(owners[0], quoted=True))


def _columns(source: exp.Table | Scope, schema: MappingSchema) -> list[str] | None:
    """What a source is known to have; of some, nothing is known before they run."""
    if isinstance(source, exp.Table):
        return list(schema.column_names(source))
    names = source.expression.named_selects
    return None if not names or "*" in names or source.is_udtf else list(names)


def _in_having(scope: Scope) -> list[exp.Column]:
    """sqlglot takes them for aliases, which Trino does not know there."""
    having = scope.expression.args.get("having")
    nodes = walk_in_scope(having) if having else ()
    return [node for node in nodes if isinstance(node, exp.Column) and not node.table]


def _annotate(annotator: Any, call: exp.Anonymous) -> exp.Anonymous:
    annotator._annotate_args(call)
    result: Any = functions.RESULTS.get(call.name.lower(), Type.UNKNOWN)
    if call.name.lower() == "row":
        result = exp.DataType(this=Type.STRUCT, expressions=[value.type for value in call.expressions], nested=True)
    if isinstance(result, int):
        result = call.expressions[result].type if result < len(call.expressions) else Type.UNKNOWN
    annotator._set_type(call, result)
    return call


def _annotate_sum(annotator: Any, node: exp.Binary) -> exp.Binary:
    """An instant plus an interval is an instant of the same precision."""
    annotator._annotate_args(node)
    for value, other in ((node.left, node.right), (node.right, node.left)):
        if isinstance(other.unnest(), exp.Interval):
            annotator._set_type(node, value.type)
            return node
    annotate: Callable[[Any, exp.Binary], exp.Binary] = AthenaSql.ANNOTATORS[type(node)]
    return annotate(annotator, node)


def _annotate_zoned(annotator: Any, node: exp.AtTimeZone) -> exp.AtTimeZone:
    """An instant in another zone has the precision that it had."""
    annotator._annotate_args(node)
    annotator._set_type(node, node.this.type)
    return node


ANNOTATORS = {
    **AthenaSql.ANNOTATORS,
    exp.Add: _annotate_sum,
    exp.Anonymous: _annotate,
    exp.AtTimeZone: _annotate_zoned,
    exp.Sub: _annotate_sum,
}
