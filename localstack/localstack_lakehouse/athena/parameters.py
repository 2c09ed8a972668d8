"""ExecutionParameters: what stands for the question marks."""

from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.tokens import TokenType

from .dialect import AthenaSql, position
from .exceptions import QueryError


def bind(sql: str, parameters: list[str] | None) -> str:
    """The statement with its parameters in place."""
    marks = [token for token in AthenaSql().tokenize(sql) if token.token_type == TokenType.PLACEHOLDER]
    if not marks:
        return sql
    values = [literal(parameter) for parameter in parameters or []]
    if len(marks) != len(values):
        reason = f"Incorrect number of parameters: expected {len(marks)} but found {len(values)}"
        raise QueryError("INVALID_PARAMETER_USAGE", reason, position(sql, marks[0].start))
    for mark, value in reversed(list(zip(marks, values, strict=True))):
        sql = f"{sql[: mark.start]}{value}{sql[mark.end + 1 :]}"
    return sql


def literal(parameter: str) -> str:
    """An expression without columns is one; any other text is a string."""
    try:
        query = AthenaSql().parse(f"SELECT ({parameter})")[0]
    except (SqlglotError, IndexError):
        query = None
    plain = isinstance(query, exp.Select) and set(filter(query.args.get, query.args)) == {"expressions"}
    if plain and query and len(query.expressions) == 1 and not query.find(exp.Column, exp.Placeholder, exp.Subquery):
        return f"({parameter})"
    return exp.Literal.string(parameter).sql(dialect="trino")
