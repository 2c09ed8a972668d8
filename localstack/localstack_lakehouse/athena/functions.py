"""Which functions there are. What is not named here cannot be called."""

import re
from collections.abc import Callable
from importlib.resources import files

from sqlglot import exp
from sqlglot.generator import Generator

from . import patterns
from .exceptions import QueryError

Type = exp.DataType.Type
Rewrite = Callable[..., str]

SQL = files(__package__).joinpath("functions.sql").read_text()

SAME = """
abs acos array_agg asin atan atan2 avg bool_and bool_or cbrt chr coalesce concat_ws corr cos cosh count covar_pop
covar_samp cume_dist day degrees dense_rank exp first_value flatten grouping hour kurtosis lag last_value lead listagg
ln log10 log2 lower lpad ltrim map map_entries map_from_entries map_keys map_values max min minute month now nth_value
ntile nullif percent_rank pi quarter radians rank regexp_extract_all regr_intercept regr_slope round row row_number
rpad rtrim second sin sinh skewness sqrt starts_with stddev stddev_pop stddev_samp strpos sum tan tanh translate trim
try upper url_decode url_encode uuid var_pop var_samp variance week year
"""
"""DuckDB's functions that mean what Trino's mean."""

RENAMED = {
    "any_value": "any_value",
    "approx_distinct": "approx_count_distinct",
    "approx_percentile": "quantile_disc",
    "arbitrary": "any_value",
    "bitwise_and_agg": "bit_and",
    "bitwise_or_agg": "bit_or",
    "bitwise_xor_agg": "bit_xor",
    "every": "bool_and",
    "geometric_mean": "geomean",
    "histogram": "histogram",
    "map_concat": "map_concat",
    "max_by": "arg_max_null",
    "min_by": "arg_min_null",
    "format": "printf",
    "zip": "list_zip",
}

MACROS = dict.fromkeys(re.findall(r"CREATE MACRO trino\.(\w+)", SQL))

PRIVATE = """
array_subscript digits divide divisor exponent fail instant_text interval_of interval_text java_text joined
map_subscript minus_interval nonzero plus_interval to_bigint to_integer to_smallint to_tinyint to_varchar whole
"""
"""Macros that are no function of Trino's."""

NAMES = (
    {name: name for name in SAME.split()}
    | RENAMED
    | {name: f"trino.{name}" for name in MACROS if name not in PRIVATE.split()}
)

_RESULTS: dict[Type | int, str] = {
    Type.BIGINT: """
        approx_distinct bitwise_and bitwise_or bitwise_xor cardinality count count_if date_diff day day_of_month
        day_of_week day_of_year dense_rank hour length millisecond minute month ntile quarter rank row_number
        second strpos week year year_of_week
    """,
    Type.DOUBLE: """
        avg cbrt cos degrees exp ln log10 log2 pi power radians rand random sin sqrt stddev tan to_unixtime
        variance
    """,
    Type.VARCHAR: """
        array_join chr concat_ws date_format format format_datetime from_utf8 json_extract_scalar json_format
        listagg lower lpad ltrim regexp_extract regexp_replace replace rpad rtrim split_part substr substring
        to_hex to_iso8601 typeof upper
    """,
    Type.BOOLEAN: """
        all_match any_match bool_and bool_or contains every is_nan none_match regexp_like starts_with
    """,
    Type.DATE: "date from_iso8601_date last_day_of_month",
    Type.TIMESTAMPTZ: "from_iso8601_timestamp from_unixtime now parse_datetime",
    Type.JSON: "json_extract json_parse",
    Type.ARRAY: """
        array_agg array_except array_intersect flatten map_entries map_keys map_values regexp_split repeat
        sequence set_agg split transform zip zip_with
    """,
    Type.MAP: """
        histogram map map_agg map_concat map_filter map_from_entries split_to_map transform_keys
        transform_values
    """,
    Type.TIMESTAMP: "date_parse",
    Type.VARBINARY: "from_hex to_utf8",
    0: """
        abs any_value approx_percentile arbitrary array_distinct array_sort array_union ceil ceiling coalesce
        filter first_value floor greatest lag last_value lead least max max_by min min_by mod nth_value nullif
        reverse slice with_timezone
    """,
    1: "date_trunc",
    2: "date_add",
}
RESULTS = {name: kind for kind, names in _RESULTS.items() for name in names.split()}
"""The type of a result, or the argument whose type it has: what Athena's own types need, DuckDB finds the rest."""


def _cardinality(to: Generator, value: exp.Expression) -> str:
    function = "cardinality" if value.is_type(Type.MAP) else "len"
    return f"CAST({function}({to.sql(value)}) AS BIGINT)"


def _concat(to: Generator, *values: exp.Expression) -> str:
    return f"({' || '.join(to.sql(value) for value in values)})"


def _count_if(to: Generator, condition: exp.Expression) -> str:
    """Of no rows DuckDB's own is NULL."""
    distinct = isinstance(condition, exp.Distinct)
    (holds,) = condition.expressions if distinct else [condition]
    return f"count({'DISTINCT ' if distinct else ''}CASE WHEN {to.sql(holds)} THEN 1 END)"


def _whole(function: str) -> Rewrite:
    def rewrite(to: Generator, value: exp.Expression) -> str:
        integers = (Type.TINYINT, Type.SMALLINT, Type.INT, Type.BIGINT)
        return to.sql(value) if value.is_type(*integers) else f"{function}({to.sql(value)})"

    return rewrite


def _extreme(function: str) -> Rewrite:
    def rewrite(to: Generator, *values: exp.Expression) -> str:
        sqls = [to.sql(value) for value in values]
        missing = " OR ".join(f"{sql} IS NULL" for sql in sqls)
        return f"CASE WHEN {missing} THEN NULL ELSE {function}({', '.join(sqls)}) END"

    return rewrite


def _formatted(pattern_of: Callable[[str], str]) -> Rewrite:
    def rewrite(to: Generator, value: exp.Expression, pattern: exp.Expression) -> str:
        return f"strftime({_clock(to, value)}, {_pattern(pattern, pattern_of)})"

    return rewrite


def _parsed(pattern_of: Callable[[str], str], kind: str) -> Rewrite:
    def rewrite(to: Generator, text: exp.Expression, pattern: exp.Expression) -> str:
        return f"CAST(strptime({to.sql(text)}, {_pattern(pattern, pattern_of)}) AS {kind})"

    return rewrite


def _pattern(pattern: exp.Expression, pattern_of: Callable[[str], str]) -> str:
    if not pattern.is_string:
        raise QueryError("NOT_SUPPORTED", "a pattern of dates that is not a literal")
    return exp.Literal.string(pattern_of(pattern.name)).sql(dialect="duckdb")


def _clock(to: Generator, value: exp.Expression) -> str:
    """strftime takes no instant: of one with a zone, the clock of that zone."""
    return f"CAST({to.sql(value)} AS TIMESTAMP)"


def _matches(aggregate: str, nothing: str) -> Rewrite:
    def rewrite(to: Generator, values: exp.Expression, predicate: exp.Lambda) -> str:
        return f"coalesce({aggregate}(list_transform({to.sql(values)}, {to.sql(predicate)})), {nothing})"

    return rewrite


def _none_match(to: Generator, values: exp.Expression, predicate: exp.Lambda) -> str:
    return f"NOT {_matches('list_bool_or', 'false')(to, values, predicate)}"


def _reduce(to: Generator, values: exp.Expression, start: exp.Expression, step: exp.Lambda, result: exp.Lambda) -> str:
    total = f"list_reduce({to.sql(values)}, {to.sql(step)}, {to.sql(start)})"
    return f"list_transform([{total}], {to.sql(result)})[1]"


def _map_filter(to: Generator, entries: exp.Expression, predicate: exp.Lambda) -> str:
    kept = f"list_filter(map_entries({to.sql(entries)}), e -> {_body(to, predicate, 'e.key', 'e.value')})"
    return f"map_from_entries({kept})"


def _transformed_map(key: str, value: str) -> Rewrite:
    def rewrite(to: Generator, entries: exp.Expression, function: exp.Lambda) -> str:
        body = _body(to, function, "e.key", "e.value")
        entry = f"{{'key': {key.format(body)}, 'value': {value.format(body)}}}"
        return f"map_from_entries(list_transform(map_entries({to.sql(entries)}), e -> {entry}))"

    return rewrite


def _zip_with(to: Generator, left: exp.Expression, right: exp.Expression, function: exp.Lambda) -> str:
    return f"list_transform(list_zip({to.sql(left)}, {to.sql(right)}), e -> {_body(to, function, 'e[1]', 'e[2]')})"


def _body(to: Generator, function: exp.Lambda, *values: str) -> str:
    """A lambda's body, with values in place of its parameters."""
    bound = {parameter.name: value for parameter, value in zip(function.expressions, values, strict=True)}

    def bind(node: exp.Expression) -> exp.Expression:
        named = isinstance(node, exp.Identifier) or (isinstance(node, exp.Column) and not node.table)
        return exp.var(bound[node.name]) if named and node.name in bound else node

    return to.sql(function.this.transform(bind))


def _reverse(to: Generator, value: exp.Expression) -> str:
    function = "list_reverse" if value.is_type(*exp.DataType.ARRAY_TYPES) else "reverse"
    return f"{function}({to.sql(value)})"


def _typeof(to: Generator, value: exp.Expression) -> str:
    known = value.type and value.type.this != Type.UNKNOWN
    return f"'{value.type.sql(dialect='trino').lower()}'" if known and value.type else f"lower(typeof({to.sql(value)}))"


REWRITES: dict[str, Rewrite] = {
    "all_match": _matches("list_bool_and", "true"),
    "any_match": _matches("list_bool_or", "false"),
    "cardinality": _cardinality,
    "ceil": _whole("ceil"),
    "ceiling": _whole("ceil"),
    "concat": _concat,
    "count_if": _count_if,
    "current_timezone": lambda to: "'UTC'",
    "date_format": _formatted(patterns.mysql),
    "date_parse": _parsed(patterns.mysql, "TIMESTAMP"),
    "filter": lambda to, values, predicate: f"list_filter({to.sql(values)}, {to.sql(predicate)})",
    "floor": _whole("floor"),
    "format_datetime": _formatted(patterns.joda),
    "greatest": _extreme("greatest"),
    "least": _extreme("least"),
    "localtimestamp": lambda to: "CAST(now() AS TIMESTAMP)",
    "map_filter": _map_filter,
    "none_match": _none_match,
    "parse_datetime": _parsed(patterns.joda, "TIMESTAMPTZ"),
    "reduce": _reduce,
    "reverse": _reverse,
    "set_agg": lambda to, value: f"list(DISTINCT {to.sql(value)})",
    "transform": lambda to, values, function: f"list_transform({to.sql(values)}, {to.sql(function)})",
    "transform_keys": _transformed_map("{}", "e.value"),
    "transform_values": _transformed_map("e.key", "{}"),
    "typeof": _typeof,
    "zip_with": _zip_with,
}
"""Functions whose translation depends on the types, the literals or the lambdas that they are given."""
