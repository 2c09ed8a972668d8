-- Trino's functions as macros over DuckDB's own, where the two differ in name or in meaning.

-- DuckDB's error() is volatile, and TRY takes nothing volatile: a cast that fails carries the message instead.
CREATE MACRO trino.fail(message) AS CAST(message AS INTEGER);

-- Operators. None has variants by type: DuckDB does not know a type by the time it chooses where an argument holds an
-- aggregate, a window or a lambda's parameter.
CREATE MACRO trino.nonzero(n) AS CASE WHEN n = 0 THEN trino.fail('DIVISION_BY_ZERO: Division by zero') ELSE n END;
CREATE MACRO trino.divisor(a, b) AS CASE WHEN typeof(a + b) IN ('DOUBLE', 'FLOAT') THEN b ELSE trino.nonzero(b) END;
-- What DuckDB's // divides by zero is NULL.
CREATE MACRO trino.divide(a, b) AS coalesce(a // trino.divisor(a, b), cast_to_type(a / b, a // b));
CREATE MACRO trino.mod(a, b) AS a % trino.divisor(a, b);
CREATE MACRO trino.plus_interval(a, i) AS cast_to_type(a + i, a);
CREATE MACRO trino.minus_interval(a, i) AS cast_to_type(a - i, a);
CREATE MACRO trino.array_subscript(a, i) AS a[
    CASE
        WHEN i = 0 THEN trino.fail('INVALID_FUNCTION_ARGUMENT: SQL array indices start at 1')
        WHEN i < 0 THEN trino.fail('INVALID_FUNCTION_ARGUMENT: Array subscript is negative: ' || i)
        WHEN i > len(a) THEN trino.fail(
            'INVALID_FUNCTION_ARGUMENT: Array subscript must be less than or equal to array length: ' || i || ' > ' || len(a)
        )
        ELSE i
    END
];
CREATE MACRO trino.map_subscript(m, k) AS map_extract(m, k)[
    CASE
        WHEN list_contains(map_keys(m), k) THEN 1
        ELSE trino.fail('INVALID_FUNCTION_ARGUMENT: Key not present in map: ' || k)
    END
];

-- Casts.
CREATE MACRO trino.whole(text, type) AS CASE
    WHEN regexp_full_match(trim(text), '[+-]?[0-9]+') THEN trim(text)
    ELSE 'INVALID_CAST_ARGUMENT: Cannot cast ''' || text || ''' to ' || type
END;
CREATE MACRO trino.to_tinyint(x) AS CASE
    WHEN typeof(x) = 'VARCHAR' THEN CAST(trino.whole(CAST(x AS VARCHAR), 'TINYINT') AS TINYINT)
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(TRY_CAST(x AS DOUBLE)) AS TINYINT)
    ELSE CAST(x AS TINYINT)
END;
CREATE MACRO trino.to_smallint(x) AS CASE
    WHEN typeof(x) = 'VARCHAR' THEN CAST(trino.whole(CAST(x AS VARCHAR), 'SMALLINT') AS SMALLINT)
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(TRY_CAST(x AS DOUBLE)) AS SMALLINT)
    ELSE CAST(x AS SMALLINT)
END;
CREATE MACRO trino.to_integer(x) AS CASE
    WHEN typeof(x) = 'VARCHAR' THEN CAST(trino.whole(CAST(x AS VARCHAR), 'INT') AS INTEGER)
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(TRY_CAST(x AS DOUBLE)) AS INTEGER)
    ELSE CAST(x AS INTEGER)
END;
CREATE MACRO trino.to_bigint(x) AS CASE
    WHEN typeof(x) = 'VARCHAR' THEN CAST(trino.whole(CAST(x AS VARCHAR), 'BIGINT') AS BIGINT)
    WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(TRY_CAST(x AS DOUBLE)) AS BIGINT)
    ELSE CAST(x AS BIGINT)
END;
-- A number as Java prints it, from DuckDB's text: both have the shortest digits that give the number back.
CREATE MACRO trino.digits(text) AS
    rtrim(ltrim(replace(replace(split_part(text, 'e', 1), '.', ''), '-', ''), '0'), '0');
CREATE MACRO trino.exponent(text) AS CASE
    WHEN contains(text, 'e') THEN CAST(split_part(text, 'e', 2) AS INTEGER)
    WHEN starts_with(ltrim(text, '-'), '0.') THEN -length(regexp_extract(text, '0\.(0*)', 1)) - 1
    ELSE strpos(ltrim(text, '-') || '.', '.') - 2
END;
CREATE MACRO trino.java_text(x, text) AS CASE
    WHEN isnan(x) THEN 'NaN'
    WHEN isinf(x) THEN if(x > 0, 'Infinity', '-Infinity')
    WHEN x = 0 OR (abs(x) >= 1e-3 AND abs(x) < 1e7) THEN text
    ELSE if(x < 0, '-', '') || left(trino.digits(text), 1) || '.'
        || coalesce(nullif(substr(trino.digits(text), 2), ''), '0') || 'E' || trino.exponent(text)
END;
CREATE MACRO trino.instant_text(x, length) AS left(strftime(x, '%Y-%m-%d %H:%M:%S.%f'), length);
-- Through text, for a branch has to bind whatever the type is.
CREATE MACRO trino.to_varchar(x, length) AS CASE typeof(x)
    WHEN 'DOUBLE' THEN trino.java_text(TRY_CAST(CAST(x AS VARCHAR) AS DOUBLE), CAST(x AS VARCHAR))
    WHEN 'FLOAT' THEN trino.java_text(TRY_CAST(CAST(x AS VARCHAR) AS FLOAT), CAST(x AS VARCHAR))
    WHEN 'TIMESTAMP' THEN trino.instant_text(TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMP), length)
    WHEN 'TIMESTAMP WITH TIME ZONE' THEN
        trino.instant_text(timezone('UTC', TRY_CAST(CAST(x AS VARCHAR) AS TIMESTAMPTZ)), length) || ' UTC'
    WHEN 'JSON' THEN CASE WHEN json_valid(CAST(x AS VARCHAR)) THEN CAST(x AS VARCHAR)->>'$' END
    WHEN 'BLOB' THEN decode(TRY_CAST(CAST(x AS VARCHAR) AS BLOB))
    ELSE CAST(x AS VARCHAR)
END;

-- Mathematical functions.
CREATE MACRO trino.e() AS exp(1);
CREATE MACRO trino.from_base(text, radix) AS list_reduce(
    list_transform(string_split(lower(text), ''), c -> CAST(strpos('0123456789abcdefghijklmnopqrstuvwxyz', c) - 1 AS BIGINT)),
    (total, digit) -> total * radix + digit
);
CREATE MACRO trino.infinity() AS CAST('infinity' AS DOUBLE);
CREATE MACRO trino.is_finite(x) AS isfinite(CAST(x AS DOUBLE));
CREATE MACRO trino.is_infinite(x) AS isinf(CAST(x AS DOUBLE));
CREATE MACRO trino.is_nan(x) AS isnan(CAST(x AS DOUBLE));
CREATE MACRO trino.log(b, x) AS ln(x) / ln(b);
CREATE MACRO trino.nan() AS CAST('nan' AS DOUBLE);
CREATE MACRO trino.power(x, y) AS power(CAST(x AS DOUBLE), CAST(y AS DOUBLE));
CREATE MACRO trino.pow(x, y) AS power(CAST(x AS DOUBLE), CAST(y AS DOUBLE));
CREATE MACRO trino.rand
    () AS random(),
    (n) AS CAST(floor(random() * n) AS BIGINT),
    (m, n) AS m + CAST(floor(random() * (n - m)) AS BIGINT);
CREATE MACRO trino.random
    () AS random(),
    (n) AS CAST(floor(random() * n) AS BIGINT),
    (m, n) AS m + CAST(floor(random() * (n - m)) AS BIGINT);
CREATE MACRO trino.sign(x) AS cast_to_type(sign(x), x);
CREATE MACRO trino.to_base(n, radix) AS lower(to_base(n, radix));
CREATE MACRO trino.truncate
    (x) AS trunc(x),
    (x, n) AS trunc(x, n);
CREATE MACRO trino.width_bucket(x, low, high, n) AS CAST(
    CASE
        WHEN x < least(low, high) THEN if(low < high, 0, n + 1)
        WHEN x >= greatest(low, high) THEN if(low < high, n + 1, 0)
        ELSE floor(abs(x - low) * n / abs(CAST(high AS DOUBLE) - low)) + 1
    END AS BIGINT
);
CREATE MACRO trino.bitwise_and(a, b) AS CAST(a & b AS BIGINT);
CREATE MACRO trino.bitwise_or(a, b) AS CAST(a | b AS BIGINT);
CREATE MACRO trino.bitwise_xor(a, b) AS CAST(xor(a, b) AS BIGINT);
CREATE MACRO trino.bitwise_not(a) AS CAST(~a AS BIGINT);
CREATE MACRO trino.bitwise_left_shift(a, n) AS a << n;
CREATE MACRO trino.bitwise_right_shift(a, n) AS a >> n;

-- String functions.
CREATE MACRO trino.joined(texts, delimiter) AS
    CASE len(texts) WHEN 0 THEN '' ELSE list_reduce(texts, (a, b) -> a || delimiter || b) END;
CREATE MACRO trino.codepoint(c) AS unicode(c);
CREATE MACRO trino.ends_with(s, suffix) AS suffix(s, suffix);
CREATE MACRO trino.hamming_distance(a, b) AS hamming(a, b);
CREATE MACRO trino.length
    (x VARCHAR) AS length(x),
    (x BLOB) AS octet_length(x);
CREATE MACRO trino.levenshtein_distance(a, b) AS levenshtein(a, b);
CREATE MACRO trino.normalize(s) AS nfc_normalize(s);
CREATE MACRO trino.regexp_count(s, pattern) AS len(regexp_extract_all(s, pattern));
CREATE MACRO trino.regexp_extract
    (s, pattern) AS CASE WHEN regexp_matches(s, pattern) THEN regexp_extract(s, pattern) END,
    (s, pattern, n) AS CASE WHEN regexp_matches(s, pattern) THEN regexp_extract(s, pattern, n) END;
CREATE MACRO trino.regexp_like(s, pattern) AS regexp_matches(s, pattern);
CREATE MACRO trino.regexp_replace
    (s, pattern) AS regexp_replace(s, pattern, '', 'g'),
    (s, pattern, replacement) AS regexp_replace(s, pattern, regexp_replace(replacement, '\$(\d+)', '\\\1', 'g'), 'g');
CREATE MACRO trino.regexp_split(s, pattern) AS string_split_regex(s, pattern);
CREATE MACRO trino.replace
    (s, search) AS replace(s, search, ''),
    (s, search, replacement) AS replace(s, search, replacement);
CREATE MACRO trino.split
    (s, delimiter) AS string_split(s, delimiter),
    (s, delimiter, n) AS CASE
        WHEN len(string_split(s, delimiter)) <= n THEN string_split(s, delimiter)
        ELSE string_split(s, delimiter)[1:n - 1] || [trino.joined(string_split(s, delimiter)[n:], delimiter)]
    END;
CREATE MACRO trino.split_part(s, delimiter, n) AS string_split(s, delimiter)[n];
CREATE MACRO trino.split_to_map(s, entries, pairs) AS map_from_entries(
    list_transform(string_split(s, entries), entry -> {'key': split_part(entry, pairs, 1), 'value': split_part(entry, pairs, 2)})
);
CREATE MACRO trino.substr
    (s, start) AS CASE WHEN start = 0 OR -start > length(s) THEN '' ELSE substr(s, start) END,
    (s, start, n) AS CASE WHEN start = 0 OR -start > length(s) OR n <= 0 THEN '' ELSE substr(s, start, n) END;
CREATE MACRO trino.url_extract_fragment(url) AS coalesce(nullif(regexp_extract(url, '#(.*)$', 1), ''), '');
CREATE MACRO trino.url_extract_host(url) AS regexp_extract(url, '^[^:/?#]+://(?:[^/?#@]*@)?([^:/?#]*)', 1);
CREATE MACRO trino.url_extract_parameter(url, name) AS
    url_decode(nullif(regexp_extract(url, '[?&]' || regexp_escape(name) || '=([^&#]*)', 1), ''));
CREATE MACRO trino.url_extract_path(url) AS url_decode(regexp_extract(url, '^[^:/?#]+://[^/?#]*([^?#]*)', 1));
CREATE MACRO trino.url_extract_protocol(url) AS regexp_extract(url, '^([^:/?#]+):', 1);
CREATE MACRO trino.url_extract_query(url) AS regexp_extract(url, '\?([^#]*)', 1);

-- Binary functions.
CREATE MACRO trino.from_base64(text) AS from_base64(text);
CREATE MACRO trino.from_hex(text) AS unhex(text);
CREATE MACRO trino.from_utf8(b) AS decode(b);
CREATE MACRO trino.md5(b) AS unhex(md5(b));
CREATE MACRO trino.sha1(b) AS unhex(sha1(b));
CREATE MACRO trino.sha256(b) AS unhex(sha256(b));
CREATE MACRO trino.to_base64(b) AS to_base64(b);
CREATE MACRO trino.to_hex(b) AS hex(b);
CREATE MACRO trino.to_utf8(s) AS encode(s);

-- JSON functions. Text that is not JSON gives NULL.
CREATE MACRO trino.json_array_length(j) AS
    CASE WHEN json_valid(j) THEN CASE json_type(j) WHEN 'ARRAY' THEN CAST(json_array_length(j) AS BIGINT) END END;
CREATE MACRO trino.json_extract(j, path) AS CASE WHEN json_valid(j) THEN json_extract(j, path) END;
CREATE MACRO trino.json_extract_scalar(j, path) AS
    CASE WHEN json_valid(j) AND json_type(j, path) NOT IN ('ARRAY', 'OBJECT') THEN json_extract_string(j, path) END;
CREATE MACRO trino.json_format(j) AS CAST(j AS VARCHAR);
CREATE MACRO trino.json_parse(text) AS CAST(text AS JSON);
CREATE MACRO trino.json_size(j, path) AS
    CASE json_type(j, path)
        WHEN 'ARRAY' THEN CAST(json_array_length(j, path) AS BIGINT)
        WHEN 'OBJECT' THEN len(json_keys(j, path))
        ELSE 0
    END;

-- Date and time functions. A session's zone is UTC.
CREATE MACRO trino.date(x) AS CAST(x AS DATE);
CREATE MACRO trino.interval_of(unit, n) AS CASE lower(unit)
    WHEN 'millisecond' THEN to_milliseconds(n)
    WHEN 'second' THEN to_seconds(n)
    WHEN 'minute' THEN to_minutes(n)
    WHEN 'hour' THEN to_hours(n)
    WHEN 'day' THEN to_days(CAST(n AS INTEGER))
    WHEN 'week' THEN to_weeks(CAST(n AS INTEGER))
    WHEN 'month' THEN to_months(CAST(n AS INTEGER))
    WHEN 'quarter' THEN to_months(CAST(n * 3 AS INTEGER))
    WHEN 'year' THEN to_years(CAST(n AS INTEGER))
    ELSE to_days(trino.fail('INVALID_FUNCTION_ARGUMENT: ''' || unit || ''' is not a valid DATE field'))
END;
CREATE MACRO trino.date_add(unit, n, x) AS cast_to_type(x + trino.interval_of(unit, n), x);
-- Whole units that have passed, not the boundaries between them.
CREATE MACRO trino.date_diff(unit, a, b) AS date_sub(unit, a, b);
CREATE MACRO trino.date_trunc(unit, x) AS cast_to_type(date_trunc(unit, x), x);
CREATE MACRO trino.day_of_month(x) AS day(x);
CREATE MACRO trino.day_of_week(x) AS isodow(x);
CREATE MACRO trino.dow(x) AS isodow(x);
CREATE MACRO trino.day_of_year(x) AS dayofyear(x);
CREATE MACRO trino.doy(x) AS dayofyear(x);
CREATE MACRO trino.from_iso8601_date(text) AS CAST(text AS DATE);
CREATE MACRO trino.from_iso8601_timestamp(text) AS CAST(text AS TIMESTAMPTZ);
CREATE MACRO trino.from_unixtime(seconds) AS to_timestamp(CAST(seconds AS DOUBLE));
CREATE MACRO trino.last_day_of_month(x) AS last_day(x);
CREATE MACRO trino.millisecond(x) AS millisecond(x) % 1000;
CREATE MACRO trino.to_iso8601
    (x DATE) AS strftime(x, '%Y-%m-%d'),
    (x TIMESTAMP) AS strftime(x, '%Y-%m-%dT%H:%M:%S.%g'),
    (x TIMESTAMPTZ) AS strftime(timezone('UTC', x), '%Y-%m-%dT%H:%M:%S.%gZ');
CREATE MACRO trino.to_milliseconds(i) AS CAST(epoch(i) * 1000 AS BIGINT);
CREATE MACRO trino.to_unixtime(x) AS epoch(x);
CREATE MACRO trino.week_of_year(x) AS week(x);
CREATE MACRO trino.with_timezone(x, zone) AS timezone(zone, CAST(x AS TIMESTAMP));
CREATE MACRO trino.year_of_week(x) AS isoyear(x);
CREATE MACRO trino.yow(x) AS isoyear(x);

CREATE MACRO trino.interval_text(i) AS CASE
    WHEN extract(year FROM i) <> 0 OR extract(month FROM i) <> 0 THEN
        if(i < INTERVAL 0 DAY, '-', '') || abs(extract(year FROM i)) || '-' || abs(extract(month FROM i))
    ELSE printf(
        '%s%d %02d:%02d:%02d.%03d',
        if(i < INTERVAL 0 DAY, '-', ''),
        CAST(abs(epoch_ms(i)) // 86400000 AS BIGINT),
        CAST(abs(epoch_ms(i)) // 3600000 % 24 AS BIGINT),
        CAST(abs(epoch_ms(i)) // 60000 % 60 AS BIGINT),
        CAST(abs(epoch_ms(i)) // 1000 % 60 AS BIGINT),
        CAST(abs(epoch_ms(i)) % 1000 AS BIGINT)
    )
END;

-- Arrays.
CREATE MACRO trino.array_distinct(a) AS list_filter(a, (x, i) -> list_position(a, x) = i);
CREATE MACRO trino.array_except(a, b) AS
    list_filter(a, (x, i) -> list_position(a, x) = i AND list_position(b, x) IS NULL);
CREATE MACRO trino.array_intersect(a, b) AS
    list_filter(a, (x, i) -> list_position(a, x) = i AND list_position(b, x) IS NOT NULL);
CREATE MACRO trino.array_join
    (a, delimiter) AS trino.joined(list_transform(list_filter(a, x -> x IS NOT NULL), x -> CAST(x AS VARCHAR)), delimiter),
    (a, delimiter, missing) AS trino.joined(list_transform(a, x -> coalesce(CAST(x AS VARCHAR), missing)), delimiter);
CREATE MACRO trino.array_max(a) AS CASE WHEN list_position(a, NULL) IS NULL THEN list_max(a) END;
CREATE MACRO trino.array_min(a) AS CASE WHEN list_position(a, NULL) IS NULL THEN list_min(a) END;
CREATE MACRO trino.array_position(a, x) AS CAST(coalesce(list_position(a, x), 0) AS BIGINT);
CREATE MACRO trino.array_remove(a, x) AS list_filter(a, y -> y IS DISTINCT FROM x);
CREATE MACRO trino.array_sort(a) AS list_sort(a, 'ASC', 'NULLS LAST');
CREATE MACRO trino.array_union(a, b) AS trino.array_distinct(list_concat(a, b));
CREATE MACRO trino.arrays_overlap(a, b) AS list_has_any(a, b);
CREATE MACRO trino.contains(a, x) AS list_contains(a, x);
CREATE MACRO trino.element_at(a, i) AS a[i];
CREATE MACRO trino.repeat(x, n) AS list_transform(range(n), i -> x);
CREATE MACRO trino.sequence
    (a BIGINT, b BIGINT) AS generate_series(a, b, CASE WHEN a <= b THEN 1 ELSE -1 END),
    (a DATE, b DATE) AS CAST(generate_series(a, b, CASE WHEN a <= b THEN to_days(1) ELSE to_days(-1) END) AS DATE[]),
    (a BIGINT, b BIGINT, step BIGINT) AS generate_series(a, b, step),
    (a DATE, b DATE, step INTERVAL) AS CAST(generate_series(a, b, step) AS DATE[]),
    (a TIMESTAMP, b TIMESTAMP, step INTERVAL) AS generate_series(a, b, step),
    (a TIMESTAMPTZ, b TIMESTAMPTZ, step INTERVAL) AS generate_series(a, b, step);
CREATE MACRO trino.slice(a, start, n) AS CASE
    WHEN start > 0 THEN list_slice(a, start, start + n - 1)
    ELSE list_slice(a, len(a) + start + 1, len(a) + start + n)
END;
CREATE MACRO trino.trim_array(a, n) AS list_slice(a, 1, len(a) - n);

-- Aggregates of two columns.
CREATE MACRO trino.map_agg(k, v) AS
    map_from_entries(list({'key': k, 'value': v}) FILTER (WHERE k IS NOT NULL));
