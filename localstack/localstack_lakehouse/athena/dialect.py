"""Athena's SQL on the way in, DuckDB's on the way out."""

import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp
from sqlglot.dialects import DuckDB, Trino
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokens import TokenType

from . import functions, patterns
from .exceptions import MalformedQueryError, QueryError

Type = exp.DataType.Type

INSTANTS = (Type.TIMESTAMP, Type.TIMESTAMPTZ)
INTEGERS = {Type.TINYINT, Type.SMALLINT, Type.INT, Type.BIGINT}
POSITIONS = (
    exp.DataTypeParam,
    exp.Fetch,
    exp.Group,
    exp.Limit,
    exp.Offset,
    exp.Ordered,
    exp.TableSample,
    exp.WindowSpec,
)
"""Where an integer counts, and has no type."""

FOREIGN = {
    exp.Command: "this statement",
    exp.CurrentUser: "current_user",
    exp.ILike: "ILIKE",
    exp.Pivot: "PIVOT",
    exp.Qualify: "QUALIFY",
    exp.SimilarTo: "SIMILAR TO",
}
"""What sqlglot's parser takes and Athena's does not."""


class AthenaSql(Trino):
    """Trino's grammar, with every function and every index left as it was written."""

    INDEX_OFFSET = 0

    class Parser(Trino.Parser):
        """No function is anything but a name and its arguments."""

        FUNCTIONS: dict[str, Callable[..., exp.Expression]] = {}  # noqa: RUF012
        FUNCTION_PARSERS = {  # noqa: RUF012
            name: parser
            for name, parser in Trino.Parser.FUNCTION_PARSERS.items()
            if name in {"CAST", "EXTRACT", "LISTAGG", "POSITION", "SUBSTRING", "TRIM", "TRY_CAST"}
        }

        # sqlglot's % binds as + does.
        TERM = {token: operator for token, operator in Trino.Parser.TERM.items() if operator is not exp.Mod}  # noqa: RUF012
        FACTOR = {**Trino.Parser.FACTOR, TokenType.MOD: exp.Mod}  # noqa: RUF012

        def _parse_cast(self, strict: bool, safe: bool | None = None) -> exp.Expression:
            """CAST('x' AS DATE) is not the literal DATE 'x'."""
            cast = super()._parse_cast(strict, safe)
            cast.meta["explicit"] = True
            return cast

        def _parse_version(self) -> exp.Version | None:
            """FOR TIMESTAMP AS OF any expression."""
            kinds = {TokenType.TIMESTAMP_SNAPSHOT: "TIMESTAMP", TokenType.VERSION_SNAPSHOT: "VERSION"}
            if not self._match_set(kinds):
                return None
            kind = kinds[self._prev.token_type]
            if not self._match_text_seq("AS", "OF"):
                self.raise_error("Expected AS OF")
            return self.expression(exp.Version, this=kind, expression=self._parse_bitwise(), kind="AS OF")


class TrinoOnDuckDB(DuckDB):
    """DuckDB, on which `functions.sql` has been run."""

    class Generator(DuckDB.Generator):
        """Writes what Trino means in DuckDB's words."""

        def literal_sql(self, expression: exp.Literal) -> str:
            """Athena's 1.5 is a double, and an integer has the least type that holds it."""
            if expression.is_string:
                return super().literal_sql(expression)
            text = expression.name
            if not text.isdigit():
                return text if "e" in text.lower() else f"{text}e0"
            if isinstance(expression.parent, POSITIONS):
                return text
            return f"CAST({text} AS {'INTEGER' if int(text) < 2**31 else 'BIGINT'})"

        def unicodestring_sql(self, expression: exp.UnicodeString) -> str:
            """Text with its characters in hexadecimal."""
            character = r"\\\\|\\\+([0-9A-Fa-f]{6})|\\([0-9A-Fa-f]{4})"
            text = re.sub(character, lambda m: chr(int(m[1] or m[2] or "5c", 16)), expression.name)
            return super().literal_sql(exp.Literal.string(text))

        def hexstring_sql(self, expression: exp.HexString, binary_function_repr: str | None = None) -> str:
            """A binary literal."""
            return f"unhex('{expression.name}')"

        def anonymous_sql(self, expression: exp.Anonymous) -> str:
            """A function of Trino's."""
            arguments = expression.expressions
            name = expression.name.lower()
            if rewrite := functions.REWRITES.get(name):
                return rewrite(self, *arguments)
            return self.func(functions.NAMES.get(name, name), *arguments, normalize=False)

        def div_sql(self, expression: exp.Div) -> str:
            """Integers divide to integers, and not by zero."""
            quotient = self._quotient(expression, ("/", "//", "trino.divide"))
            decimal = _decimal_quotient(expression.left, expression.right)
            return f"CAST({quotient} AS {decimal})" if decimal else quotient

        def mod_sql(self, expression: exp.Mod) -> str:
            """The remainder, not by zero."""
            return self._quotient(expression, ("%", "%", "trino.mod"))

        def _quotient(self, expression: exp.Binary, by: tuple[str, str, str]) -> str:
            """By the operator of doubles, that of integers, or the macro that finds out."""
            of_doubles, of_integers, of_any = by
            left, right = self.sql(expression.left), self.sql(expression.right)
            kinds = {side.type.this if side.type else None for side in (expression.left, expression.right)}
            if Type.DOUBLE in kinds:
                return f"({left} {of_doubles} {right})"
            if kinds <= INTEGERS:
                return f"({left} {of_integers} trino.nonzero({right}))"
            return f"{of_any}({left}, {right})"

        def add_sql(self, expression: exp.Add) -> str:
            """A date plus an interval stays a date."""
            left, right = expression.left, expression.right
            if _is_interval(left) and not _is_interval(right):
                left, right = right, left
            if _is_interval(right) and not _is_interval(left):
                return self.func("trino.plus_interval", left, right, normalize=False)
            return super().add_sql(expression)

        def sub_sql(self, expression: exp.Sub) -> str:
            """A date minus a date is an interval."""
            left, right = expression.left, expression.right
            if _is_interval(right) and not _is_interval(left):
                return self.func("trino.minus_interval", left, right, normalize=False)
            if left.is_type(Type.DATE) and right.is_type(Type.DATE):
                return f"(CAST({self.sql(left)} AS TIMESTAMP) - CAST({self.sql(right)} AS TIMESTAMP))"
            return super().sub_sql(expression)

        def cast_sql(self, expression: exp.Cast, safe_prefix: str | None = None) -> str:
            """A cast as Trino rounds, prints and refuses."""
            value, to = expression.this, expression.to
            if to.this in INTEGERS:
                kind = "integer" if to.this == Type.INT else to.sql(dialect="trino").lower()
                return self.func(f"trino.to_{kind}", value, normalize=False)
            if to.this in exp.DataType.TEXT_TYPES:
                text = f"trino.to_varchar({self.sql(value)}, {patterns.length(precision(value.type))})"
                return f"left({text}, {to.expressions[0].name})" if to.expressions else text
            if to.this == Type.JSON:
                return f"to_json({self.sql(value)})"
            if to.this == Type.TIMESTAMP:
                return f"CAST(CAST({self.sql(value)} AS TIMESTAMP) AS {_timestamp(to)})::TIMESTAMP"
            return f"CAST({self.sql(value)} AS {self.sql(to)})"

        def trycast_sql(self, expression: exp.TryCast) -> str:
            """NULL where the cast fails."""
            return f"TRY({self.cast_sql(expression)})"

        def datatype_sql(self, expression: exp.DataType) -> str:
            """DuckDB's instants have all digits, its decimals 18."""
            if expression.this in INSTANTS:
                return str(expression.this.value)
            if expression.this == Type.DECIMAL and not expression.expressions:
                return "DECIMAL(38, 0)"
            return super().datatype_sql(expression)

        def extract_sql(self, expression: exp.Extract) -> str:
            """A field of an instant, as the function of its name gives it."""
            field = exp.Anonymous(this=expression.name.lower(), expressions=[expression.expression])
            return self.anonymous_sql(field)

        def attimezone_sql(self, expression: exp.AtTimeZone) -> str:
            """The clock of that zone; where instants are compared, the instant."""
            instant = f"CAST({self.sql(expression, 'this')} AS TIMESTAMPTZ)"
            if isinstance(expression.parent, exp.Predicate):
                return instant
            return f"timezone({self.sql(expression, 'zone')}, {instant})"

        def bracket_sql(self, expression: exp.Bracket) -> str:
            """An element that is not there is an error."""
            kind = expression.this.type and expression.this.type.this
            (key,) = expression.expressions
            if kind == Type.MAP:
                return self.func("trino.map_subscript", expression.this, key, normalize=False)
            if kind == Type.STRUCT:
                return f"{self.sql(expression, 'this')}[{self.sql(key)}]"
            return self.func("trino.array_subscript", expression.this, key, normalize=False)

        def substring_sql(self, expression: exp.Substring) -> str:
            """SUBSTRING(x FROM 1 FOR 2)."""
            arguments = (expression.this, expression.args.get("start"), expression.args.get("length"))
            return self.func("trino.substr", *arguments, normalize=False)

        def ignorenulls_sql(self, expression: exp.IgnoreNulls) -> str:
            """Inside the parentheses."""
            return f"{self.sql(expression, 'this').removesuffix(')')} IGNORE NULLS)"

        def unnest_sql(self, expression: exp.Unnest) -> str:
            """Columns side by side, a map's keys beside its values, a row's fields beside each other."""
            lists = [column for value in expression.expressions for column in _unnested(self, value)]
            columns = [f"unnest({column})" for column in lists]
            if expression.args.get("offset"):
                columns.append(f"unnest(range(1, greatest({', '.join(f'len({column})' for column in lists)}) + 1))")
            alias = expression.args.get("alias")
            names = [self.sql(name) for name in (alias.columns if alias else [])]
            if isinstance(expression.args.get("offset"), exp.Identifier):
                names.append(self.sql(expression, "offset"))
            table = f" AS {self.sql(alias, 'this')}" if alias else ""
            return f"(SELECT {', '.join(columns)}){table}{'(' + ', '.join(names) + ')' if names else ''}"


def parse(sql: str) -> exp.Expression:
    """The one statement that the text is."""
    try:
        _refuse_foreign_tokens(sql)
        statements = [statement for statement in AthenaSql().parse(sql) if statement]
    except (ParseError, TokenError) as error:
        raise MalformedQueryError(_message(sql, error)) from error
    if len(statements) > 1:
        raise MalformedQueryError("Only one sql statement is allowed.")
    if not statements:
        raise MalformedQueryError(f"{position(sql, len(sql))}: mismatched input '<EOF>'")
    return statements[0]


def refuse_foreign(statement: exp.Expression) -> None:
    """Raise for what other engines have."""
    for node in statement.walk():
        star = isinstance(node, exp.Star) and any(node.args.values())
        distinct_on = isinstance(node, exp.Distinct) and node.args.get("on")
        name = FOREIGN.get(type(node)) or (star and "* EXCEPT") or (distinct_on and "DISTINCT ON")
        if name:
            raise MalformedQueryError(f"{name} is not part of Athena's SQL")


def check_functions(sql: str, statement: exp.Expression) -> None:
    """Raise for a function that is not Trino's, or that has no translation, and for every function of tables."""
    for call in statement.find_all(exp.Anonymous):
        name = call.name.lower()
        if isinstance(call.parent, exp.Table):
            raise QueryError("FUNCTION_NOT_FOUND", f"Table function '{name}' not registered", where(sql, call))
        if name not in functions.NAMES and name not in functions.REWRITES:
            raise QueryError("FUNCTION_NOT_FOUND", f"Function '{name}' not registered", where(sql, call))


def where(sql: str, node: exp.Expression) -> str:
    """The position of a node in the text, as Trino writes it."""
    start = min((part.meta["start"] for part in node.walk() if "start" in part.meta), default=None)
    return "" if start is None else position(sql, start)


def position(sql: str, offset: int) -> str:
    """Trino counts lines and columns from one."""
    before = sql[:offset]
    return f"line {before.count(chr(10)) + 1}:{offset - before.rfind(chr(10))}"


def precision(kind: exp.DataType | None) -> int:
    """How many digits of a second an instant of this type has."""
    return int(kind.expressions[0].name) if kind and kind.expressions else 3


def _refuse_foreign_tokens(sql: str) -> None:
    for token in AthenaSql().tokenize(sql):
        if token.token_type == TokenType.DCOLON:
            raise MalformedQueryError(f"{position(sql, token.start)}: mismatched input ':'")


def _message(sql: str, error: ParseError | TokenError) -> str:
    if not isinstance(error, ParseError) or not error.errors:
        return str(error).splitlines()[0]
    first = error.errors[0]
    token = first["highlight"]
    start = len(first["start_context"]) if len(first["start_context"]) < 100 else sql.find(token)
    if sql[start + len(token) :].strip(" ;\n") == "" and "Expected" in first["description"]:
        return f"{position(sql, len(sql))}: mismatched input '<EOF>'"
    return f"{position(sql, start)}: mismatched input '{token}'"


def _is_interval(value: exp.Expression) -> bool:
    value = value.unnest()
    if isinstance(value, exp.Mul | exp.Neg):
        return any(_is_interval(part) for part in value.iter_expressions())
    return isinstance(value, exp.Interval)


def _timestamp(to: exp.DataType) -> str:
    digits = precision(to)
    return "TIMESTAMP_S" if digits == 0 else "TIMESTAMP_MS" if digits <= 3 else "TIMESTAMP"


def _decimal_quotient(left: exp.Expression, right: exp.Expression) -> str | None:
    """The type of a quotient of decimals, by Trino's rule."""
    (p, s), (q, t) = _digits(left), _digits(right)
    if not (left.is_type(Type.DECIMAL) or right.is_type(Type.DECIMAL)) or not (p and q):
        return None
    return f"DECIMAL({min(38, p + t + max(0, t - s))}, {max(s, t)})"


def _digits(value: exp.Expression) -> tuple[int, int]:
    kind = value.type
    if kind and kind.this == Type.DECIMAL and kind.expressions:
        precision, *scale = (int(digits.name) for digits in kind.expressions)
        return precision, scale[0] if scale else 0
    whole = {Type.TINYINT: 3, Type.SMALLINT: 5, Type.INT: 10, Type.BIGINT: 19}
    return (whole.get(kind.this, 0), 0) if kind else (0, 0)


def _unnested(generator: Any, value: exp.Expression) -> list[str]:
    sql = generator.sql(value)
    kind = value.type
    if kind and kind.this == Type.MAP:
        return [f"map_keys({sql})", f"map_values({sql})"]
    element = kind.expressions[0] if kind and kind.this in exp.DataType.ARRAY_TYPES and kind.expressions else None
    if element and element.this == Type.STRUCT:
        fields = [
            f"'{field.name}'" if isinstance(field, exp.ColumnDef) else i
            for i, field in enumerate(element.expressions, 1)
        ]
        return [f"list_transform({sql}, r -> r[{field}])" for field in fields]
    return [sql]
