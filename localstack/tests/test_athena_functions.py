"""Expressions of Trino's documentation and of the differences between DuckDB and Trino; no server is needed."""

import math
import random
import struct
from collections.abc import Iterator
from decimal import Decimal

import pytest

from localstack_lakehouse.athena.dialect import parse
from localstack_lakehouse.athena.engine import Engine
from localstack_lakehouse.athena.exceptions import QueryError
from localstack_lakehouse.athena.planning import Name, Planner, Relation


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        yield engine


def value(engine: Engine, expression: str) -> tuple[str, str | None]:
    """The type and the text of an expression."""
    sql = f"SELECT {expression}"
    columns, batches = engine.texts(
        Planner("awsdatacatalog", "default", no_tables, engine.evaluate).plan(sql, parse(sql))
    )
    ((text,),) = [row for batch in batches for row in batch]
    return columns[0].type, text


def no_tables(name: Name) -> Relation:
    raise AssertionError(name)


EXPRESSIONS = """
1                                                   | integer   | 1
3000000000                                          | bigint    | 3000000000
1.5                                                 | double    | 1.5
0.1 + 0.2                                           | double    | 0.30000000000000004
1e20                                                | double    | 1.0E20
1e-7                                                | double    | 1.0E-7
1234567.0                                           | double    | 1234567.0
12345678.0                                          | double    | 1.2345678E7
CAST(0.1 AS REAL)                                   | float     | 0.1
DECIMAL '1.10'                                      | decimal   | 1.10
DECIMAL '7' / DECIMAL '2.00'                        | decimal   | 3.50
CAST('12.345' AS DECIMAL(5, 2))                     | decimal   | 12.35
'it''s'                                             | varchar   | it's
true                                                | boolean   | true
NULL IS NULL                                        | boolean   | true
NULL                                                | unknown   |
X'65683F'                                           | varbinary | 65 68 3f
U&'Hello winter \\2603 !'                            | varchar   | Hello winter ☃ !
DATE '2001-08-22'                                   | date      | 2001-08-22
TIME '01:02:03.456'                                 | time      | 01:02:03.456
TIMESTAMP '2020-06-10 15:55:23'                     | timestamp | 2020-06-10 15:55:23
TIMESTAMP '2020-06-10 15:55:23.383'                 | timestamp | 2020-06-10 15:55:23.383
TIMESTAMP '2020-06-10 15:55:23.383345'              | timestamp | 2020-06-10 15:55:23.383345
TIMESTAMP '2001-08-22 03:04:05.321 America/New_York' | timestamp with time zone | 2001-08-22 07:04:05.321 UTC
INTERVAL '2' DAY                                    | interval day to second | 2 00:00:00.000
ARRAY[1, 2, NULL]                                   | array     | [1, 2, null]
ARRAY['a, b', 'c']                                  | array     | [a, b, c]
ARRAY[ARRAY[1], ARRAY[2, 3]]                        | array     | [[1], [2, 3]]
MAP(ARRAY['foo', 'bar'], ARRAY[1, 2])               | map       | {bar=2, foo=1}
ROW(1, 2e0)                                         | row       | {1, 2.0}
CAST(ROW(1, 2e0) AS ROW(x BIGINT, y DOUBLE))        | row       | {x=1, y=2.0}
CAST(ROW(1, 'a') AS ROW(x BIGINT, y VARCHAR)).y     | varchar   | a

7 / 2                                               | integer   | 3
-7 / 2                                              | integer   | -3
7 / 2.0                                             | double    | 3.5
-7 % 3                                              | integer   | -1
5.5 % 2                                             | double    | 1.5
mod(7, 3)                                           | integer   | 1
2 + 7 % 3                                           | integer   | 3
7 % 3 * 2                                           | integer   | 2
2 / NULL                                            | integer   |
1 / 0.0                                             | double    | Infinity
CAST(1 AS REAL) / 2                                 | float     | 0.5
DECIMAL '7.5' % DECIMAL '2'                         | decimal   | 1.5
transform(ARRAY[2.5, 4.5], x -> CAST(x AS BIGINT) / 2) | array  | [1, 2]
CAST(2.5 AS INTEGER)                                | integer   | 3
CAST(-2.5 AS BIGINT)                                | bigint    | -3
CAST(1e10 AS VARCHAR)                               | varchar   | 1.0E10
CAST(DATE '2020-01-01' AS VARCHAR)                  | varchar   | 2020-01-01
CAST(TIMESTAMP '2020-01-01 10:00:00.5' AS VARCHAR)  | varchar   | 2020-01-01 10:00:00.5
CAST('2020-01-01 10:00:00.123456' AS TIMESTAMP)     | timestamp | 2020-01-01 10:00:00.123
CAST('  12 ' AS INTEGER)                            | integer   | 12
CAST('abcdef' AS VARCHAR(3))                        | varchar   | abc
CAST(JSON '"a"' AS VARCHAR)                         | varchar   | a
CAST(JSON '[1, 2]' AS ARRAY(BIGINT))                | array     | [1, 2]
CAST(ARRAY[1, 2] AS JSON)                           | json      | [1,2]
TRY_CAST('a' AS BIGINT)                             | bigint    |
TRY_CAST('1.5' AS INTEGER)                          | integer   |
TRY(1 / 0)                                          | integer   |
if(1 > 2, 'a', 'b')                                 | varchar   | b
coalesce(NULL, 2)                                   | integer   | 2
nullif(1, 1)                                        | integer   |
CASE 2 WHEN 1 THEN 'one' ELSE 'more' END            | varchar   | more
greatest(1, 3, 2)                                   | integer   | 3
greatest(1, NULL)                                   | integer   |
least('a', 'b')                                     | varchar   | a
1 IS DISTINCT FROM NULL                             | boolean   | true
'abc' LIKE 'a\\_c' ESCAPE '\\'                        | boolean   | false
3 BETWEEN 2 AND 6                                   | boolean   | true
typeof(1.5)                                         | varchar   | double

abs(-3)                                             | integer   | 3
ceil(1.2)                                           | double    | 2.0
floor(-7)                                           | integer   | -7
round(2.5)                                          | double    | 3.0
round(1.2345, 2)                                    | double    | 1.23
truncate(-1.9)                                      | double    | -1.0
sign(-3)                                            | integer   | -1
power(2, 10)                                        | double    | 1024.0
sqrt(9)                                             | double    | 3.0
log(2, 8)                                           | double    | 3.0
from_base('ff', 16)                                 | bigint    | 255
to_base(255, 16)                                    | varchar   | ff
width_bucket(5.3, 0.2, 10.6, 5)                     | bigint    | 3
bitwise_and(19, 25)                                 | bigint    | 17
bitwise_xor(19, 25)                                 | bigint    | 10
is_nan(nan())                                       | boolean   | true
infinity()                                          | double    | Infinity

chr(65)                                             | varchar   | A
codepoint('A')                                      | integer   | 65
concat('a', 'b', 'c')                               | varchar   | abc
concat_ws(',', 'a', NULL, 'b')                      | varchar   | a,b
length('häß')                                       | bigint    | 3
length(X'0102')                                     | bigint    | 2
levenshtein_distance('kitten', 'sitting')           | bigint    | 3
lpad('7', 3, '0')                                   | varchar   | 007
replace('banana', 'an')                             | varchar   | ba
reverse('abc')                                      | varchar   | cba
split('a,b,c', ',', 2)                              | array     | [a, b,c]
split_part('a,b', ',', 2)                           | varchar   | b
split_part('a,b', ',', 5)                           | varchar   |
split_to_map('a=1,b=2', ',', '=')                   | map       | {a=1, b=2}
strpos('banana', 'na')                              | bigint    | 3
substr('banana', 3)                                 | varchar   | nana
substr('banana', -2)                                | varchar   | na
substr('banana', 0)                                 | varchar   |
substring('banana' FROM 2 FOR 3)                    | varchar   | ana
trim(LEADING 'x' FROM 'xxa')                        | varchar   | a
starts_with('banana', 'ba')                         | boolean   | true
translate('abcd', 'abc', 'zyx')                     | varchar   | zyxd
format('%s is %d', 'a', 1)                          | varchar   | a is 1
regexp_like('1a 2b 14m', '\\d+b')                    | boolean   | true
regexp_extract('1a 2b 14m', '(\\d+)([a-z]+)', 2)     | varchar   | a
regexp_extract('1a', 'x')                           | varchar   |
regexp_extract_all('1a 2b 14m', '\\d+')              | array     | [1, 2, 14]
regexp_replace('1a 2b 14m', '(\\d+)([ab]) ', '3c$2 ') | varchar  | 3ca 3cb 14m
regexp_split('1a 2b 14m', '\\s*[a-z]+\\s*')           | array     | [1, 2, 14, ]
url_extract_host('https://u@example.org:80/p?q=1#f') | varchar  | example.org
url_extract_parameter('https://example.org/p?q=1', 'q') | varchar | 1
url_encode('a b')                                   | varchar   | a%20b

to_hex(to_utf8('a'))                                | varchar   | 61
md5(to_utf8('a'))                                   | varbinary | 0c c1 75 b9 c0 f1 b6 a8 31 c3 99 e2 69 77 26 61
substr(to_hex(sha256(to_utf8(''))), 1, 16)          | varchar   | E3B0C44298FC1C14
to_base64(to_utf8('a'))                             | varchar   | YQ==
from_utf8(from_hex('61'))                           | varchar   | a

json_extract_scalar('{"a": {"b": 1}}', '$.a.b')     | varchar   | 1
json_extract_scalar('{"a": {"b": 1}}', '$.a')       | varchar   |
json_extract_scalar('no json', '$.a')               | varchar   |
json_extract('{"a": [1, 2]}', '$.a')                | json      | [1,2]
json_array_length('[1, 2, 3]')                      | bigint    | 3
json_size('{"x": {"a": 1, "b": 2}}', '$.x')         | bigint    | 2
json_format(json_parse('[1,2]'))                    | varchar   | [1,2]

date('2020-01-02')                                  | date      | 2020-01-02
DATE '2020-01-31' + INTERVAL '1' MONTH              | date      | 2020-02-29
TIMESTAMP '2020-01-01 00:00:00.000' - INTERVAL '1' HOUR | timestamp | 2019-12-31 23:00:00.000
DATE '2020-01-03' - DATE '2020-01-01'               | interval day to second | 2 00:00:00.000
date_add('second', 86, TIMESTAMP '2020-03-01 00:00:00') | timestamp | 2020-03-01 00:01:26
date_add('month', -1, DATE '2020-03-31')            | date      | 2020-02-29
date_diff('second', TIMESTAMP '2020-03-01 00:00:00', TIMESTAMP '2020-03-02 00:00:00') | bigint | 86400
date_diff('day', TIMESTAMP '2020-03-01 12:00:00', TIMESTAMP '2020-03-02 11:00:00') | bigint | 0
date_diff('week', DATE '2020-03-01', DATE '2020-03-15') | bigint | 2
date_diff('month', DATE '2020-01-31', DATE '2020-02-29') | bigint | 1
date_diff('hour', DATE '2020-03-01', TIMESTAMP '2020-03-01 05:30:00') | bigint | 5
date_trunc('day', TIMESTAMP '2001-08-22 03:04:05.321') | timestamp | 2001-08-22 00:00:00.000
date_trunc('year', DATE '2001-08-22')               | date      | 2001-01-01
date_trunc('week', TIMESTAMP '2001-08-22 03:04:05.321') | timestamp | 2001-08-20 00:00:00.000
date_format(TIMESTAMP '2022-10-20 05:10:00', '%m-%d-%Y %H') | varchar | 10-20-2022 05
date_format(DATE '2022-10-20', '%a, %b %e')         | varchar   | Thu, Oct 20
date_parse('2022/10/20/05', '%Y/%m/%d/%H')          | timestamp | 2022-10-20 05:00:00.000
format_datetime(TIMESTAMP '2022-10-20 05:10:00', 'yyyy-MM-dd''T''HH:mm') | varchar | 2022-10-20T05:10
parse_datetime('2022-10-20', 'yyyy-MM-dd')          | timestamp with time zone | 2022-10-20 00:00:00.000 UTC
year(DATE '2001-08-22')                             | bigint    | 2001
day_of_week(DATE '2001-08-26')                      | bigint    | 7
extract(dow FROM DATE '2001-08-26')                 | bigint    | 7
extract(doy FROM DATE '2001-02-01')                 | bigint    | 32
week(DATE '2001-01-01')                             | bigint    | 1
millisecond(TIMESTAMP '2001-08-22 03:04:05.321')    | bigint    | 321
last_day_of_month(DATE '2024-02-10')                | date      | 2024-02-29
from_unixtime(1700000000)                           | timestamp with time zone | 2023-11-14 22:13:20.000 UTC
to_unixtime(TIMESTAMP '1970-01-02 00:00:00')        | double    | 86400.0
from_iso8601_timestamp('2020-05-11T11:15:05Z')      | timestamp with time zone | 2020-05-11 11:15:05.000 UTC
to_iso8601(DATE '2020-05-11')                       | varchar   | 2020-05-11
to_milliseconds(INTERVAL '2' SECOND)                | bigint    | 2000
at_timezone(TIMESTAMP '2022-11-01 09:08 UTC', 'Asia/Tokyo') | timestamp with time zone | 2022-11-01 18:08:00 Asia/Tokyo
TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'Asia/Tokyo' | timestamp with time zone | 2012-10-31 10:00:00 Asia/Tokyo
hour(TIMESTAMP '2012-10-31 01:00:00 UTC' AT TIME ZONE 'Asia/Tokyo') | bigint | 10
with_timezone(TIMESTAMP '2021-08-01 07:08:09', 'Asia/Tokyo') | timestamp with time zone | 2021-07-31 22:08:09 UTC
now() = current_timestamp                           | boolean   | true

ARRAY[1, 1.2, 4][2]                                 | double    | 1.2
element_at(ARRAY[1, 2], -1)                         | integer   | 2
element_at(ARRAY[1, 2], 5)                          | integer   |
element_at(MAP(ARRAY['a'], ARRAY[1]), 'b')          | integer   |
MAP(ARRAY['a'], ARRAY[1])['a']                      | integer   | 1
ARRAY[1] || ARRAY[2]                                | array     | [1, 2]
cardinality(ARRAY[1, 2])                            | bigint    | 2
cardinality(MAP(ARRAY['a'], ARRAY[1]))              | bigint    | 1
contains(ARRAY[1, 2], 2)                            | boolean   | true
array_distinct(ARRAY[3, 1, 3, NULL, NULL])          | array     | [3, 1, null]
array_join(ARRAY[1, NULL, 2], ',')                  | varchar   | 1,2
array_join(ARRAY[1, NULL, 2], ',', '?')             | varchar   | 1,?,2
array_max(ARRAY[1, NULL])                           | integer   |
array_position(ARRAY['a', 'b'], 'b')                | bigint    | 2
array_sort(ARRAY[3, NULL, 1])                       | array     | [1, 3, null]
array_union(ARRAY[1, 2], ARRAY[2, 3])               | array     | [1, 2, 3]
arrays_overlap(ARRAY[1], ARRAY[2])                  | boolean   | false
flatten(ARRAY[ARRAY[1], ARRAY[2]])                  | array     | [1, 2]
repeat('a', 2)                                      | array     | [a, a]
reverse(ARRAY[1, 2])                                | array     | [2, 1]
sequence(1, 5)                                      | array     | [1, 2, 3, 4, 5]
sequence(DATE '2020-01-01', DATE '2020-01-03', INTERVAL '1' DAY) | array | [2020-01-01, 2020-01-02, 2020-01-03]
slice(ARRAY[1, 2, 3, 4], -3, 2)                     | array     | [2, 3]
transform(ARRAY[5, 6], x -> x + 1)                  | array     | [6, 7]
filter(ARRAY[5, -6, 7], x -> x > 0)                 | array     | [5, 7]
reduce(ARRAY[5, 20, 50], 0, (s, x) -> s + x, s -> s * 2) | integer | 150
any_match(ARRAY[1, 2], x -> x > 1)                  | boolean   | true
all_match(ARRAY[1, 2], x -> x > 1)                  | boolean   | false
none_match(ARRAY[1, 2], x -> x > 2)                 | boolean   | true
zip_with(ARRAY[1, 3], ARRAY[2, 4], (x, y) -> x * y) | array     | [2, 12]
map_keys(MAP(ARRAY['a'], ARRAY[1]))                 | array     | [a]
map_filter(MAP(ARRAY['a', 'b'], ARRAY[1, 2]), (k, v) -> v > 1) | map | {b=2}
transform_values(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> v + 1) | map | {a=2}
transform_keys(MAP(ARRAY['a'], ARRAY[1]), (k, v) -> upper(k)) | map | {A=1}
map_concat(MAP(ARRAY['a'], ARRAY[1]), MAP(ARRAY['b'], ARRAY[2])) | map | {a=1, b=2}
"""


@pytest.mark.parametrize("case", [line for line in EXPRESSIONS.splitlines() if line])
def test_an_expression_means_what_it_means_in_athena(engine: Engine, case: str) -> None:
    expression, kind, text = (part.strip() for part in case.rsplit("|", 2))
    result_kind, result = value(engine, expression)
    assert (result_kind, result or "") == (kind, text)


ROWS = "(VALUES (1, 2.0, TIMESTAMP '2020-01-02 03:04:05', DATE '2020-01-31'), (4, 3.0, NULL, NULL)) AS t(n, d, at, day)"
AGGREGATES = """
CAST(count(*) AS DOUBLE) / count(*)                 | double    | 1.0
CAST(count(*) AS DOUBLE) / (SELECT 4)               | double    | 0.5
CAST(min(n) AS DOUBLE) / nullif(count(*), 0)        | double    | 0.5
sum(d) / 2                                          | double    | 2.5
sum(d) / 0                                          | double    | Infinity
avg(n) / 2                                          | double    | 1.25
sum(n) / 2                                          | bigint    | 2
sum(n) / count(*)                                   | bigint    | 2
count(*) / 4                                        | bigint    | 0
sum(n) % 3                                          | bigint    | 2
sum(d) % 2                                          | double    | 1.0
mod(count(*), 2)                                    | bigint    | 0
TRY(sum(n) / 0)                                     | bigint    |
CAST(avg(n) AS BIGINT)                              | bigint    | 3
CAST(max(CAST(n AS VARCHAR)) AS INTEGER)            | integer   | 4
sign(-sum(d))                                       | double    | -1.0
max(at) - INTERVAL '1' DAY                          | timestamp | 2020-01-01 03:04:05
max(day) + INTERVAL '1' MONTH                       | date      | 2020-02-29
date_trunc('hour', max(at))                         | timestamp | 2020-01-02 03:00:00
date_trunc('month', max(day))                       | date      | 2020-01-01
date_add('hour', 1, max(at))                        | timestamp | 2020-01-02 04:04:05
date_add('day', 1, max(day))                        | date      | 2020-02-01
to_unixtime(max(at))                                | double    | 1.577934245E9
count_if(n > 1)                                     | bigint    | 1
count_if(n > 9)                                     | bigint    | 0
count_if(n > 1) FILTER (WHERE n > 9)                | bigint    | 0
count_if(NULL)                                      | bigint    | 0
count_if(DISTINCT n > 0)                            | bigint    | 1
"""


@pytest.mark.parametrize("case", [line for line in AGGREGATES.splitlines() if line])
def test_of_aggregates_an_expression_means_the_same(engine: Engine, case: str) -> None:
    expression, kind, text = (part.strip() for part in case.rsplit("|", 2))
    result_kind, result = value(engine, f"{expression} FROM {ROWS}")
    assert (result_kind, result or "") == (kind, text)


def test_no_rows_count_nothing(engine: Engine) -> None:
    assert value(engine, f"count_if(n > 1) FROM {ROWS} WHERE n > 9") == ("bigint", "0")


@pytest.mark.parametrize(
    "expression", ["sum(n) / 0", "count(*) % 0", "sum(n) % 0", "count_if(n > 9) / count_if(n > 9)"]
)
def test_aggregates_that_are_integers_divide_not_by_zero(engine: Engine, expression: str) -> None:
    with pytest.raises(QueryError, match=r"^DIVISION_BY_ZERO: Division by zero$"):
        value(engine, f"{expression} FROM {ROWS}")


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("1 / 0", "DIVISION_BY_ZERO: Division by zero"),
        ("1 % 0", "DIVISION_BY_ZERO: Division by zero"),
        ("CAST('abc' AS BIGINT)", "INVALID_CAST_ARGUMENT: Cannot cast 'abc' to BIGINT"),
        ("CAST('1.5' AS INTEGER)", "INVALID_CAST_ARGUMENT: Cannot cast '1.5' to INT"),
        ("CAST('abc' AS DOUBLE)", "INVALID_CAST_ARGUMENT: Cannot cast 'abc' to DOUBLE"),
        ("2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE: "),
        (
            "ARRAY[1, 2][3]",
            "INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: 3 > 2",
        ),
        ("MAP(ARRAY['a'], ARRAY[1])['b']", "INVALID_FUNCTION_ARGUMENT: Key not present in map: b"),
        ("nope(1)", "FUNCTION_NOT_FOUND: line 1:8: Function 'nope' not registered"),
        ("ifnull(1, 2)", "FUNCTION_NOT_FOUND: line 1:8: Function 'ifnull' not registered"),
        ("length(5)", "FUNCTION_NOT_FOUND: Unexpected parameters"),
        ("1 = 'a'", "TYPE_MISMATCH: Cannot apply operator: integer = varchar(1)"),
        ("1 + 'a'", "TYPE_MISMATCH: Cannot apply operator: integer + varchar(1)"),
        ("DATE '2020-01-01' > '2020-01-01'", "TYPE_MISMATCH: Cannot apply operator: date > varchar(10)"),
        ("1 IN ('a')", "TYPE_MISMATCH: IN value and list items must be the same type or coercible to a common type."),
        ("(SELECT * FROM (VALUES 1, 2))", "SUBQUERY_MULTIPLE_ROWS: "),
        ("x", "COLUMN_NOT_FOUND: line 1:8: Column 'x' cannot be resolved"),
    ],
)
def test_an_error_has_the_name_it_has_in_athena(engine: Engine, expression: str, reason: str) -> None:
    with pytest.raises(QueryError) as error:
        value(engine, expression)
    assert str(error.value).startswith(reason)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT read_text('/etc/passwd')",
        "SELECT getenv('HOME')",
        "SELECT current_setting('memory_limit')",
        "SELECT * FROM duckdb_settings()",
    ],
)
def test_duckdb_own_functions_cannot_be_called(engine: Engine, query: str) -> None:
    with pytest.raises(QueryError, match=r"^FUNCTION_NOT_FOUND: "):
        Planner("awsdatacatalog", "default", no_tables, engine.evaluate).plan(query, parse(query))


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM '/etc/passwd'", "COPY (SELECT 1) TO '/dev/null'"]
)
def test_the_engine_reaches_no_file_whatever_it_is_asked(engine: Engine, sql: str) -> None:
    with pytest.raises(Exception, match=r"disabled by configuration|does not exist"):
        engine._connection.execute(sql)


def test_the_engine_cannot_be_unlocked(engine: Engine) -> None:
    with pytest.raises(Exception, match="locked"):
        engine._connection.execute("SET memory_limit = '100GB'")


def java(number: float) -> str:
    """Double.toString, of a JDK that gives the shortest digits."""
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    first, *rest = str(int("".join(map(str, digits)))).rstrip("0")
    return f"{'-' * sign}{first}.{''.join(rest) or '0'}E{int(exponent) + len(digits) - 1}"


def test_doubles_are_written_as_java_writes_them(engine: Engine) -> None:
    generator = random.Random(7)
    doubles = [struct.unpack("d", generator.randbytes(8))[0] for _ in range(300)]
    finite = [number for number in doubles if math.isfinite(number)]
    numbers = [*finite, *(10.0**power for power in range(-12, 25)), 0.1 + 0.2, 0.00099, 9999999.0, -1.5]
    sql = f"SELECT ARRAY[{', '.join(format(Decimal(number), 'e') for number in numbers)}]"
    assert value(engine, sql.removeprefix("SELECT "))[1] == f"[{', '.join(map(java, numbers))}]"
