"""What kind of statement a text is."""

import re
from dataclasses import dataclass

from .exceptions import MalformedQueryError


@dataclass(frozen=True)
class Kind:
    """Athena's name for it, and where its result goes: prefix and suffix of the execution's id."""

    type: str
    subtype: str | None
    suffix: str = ".txt"
    prefix: str = ""


SELECT = Kind("DML", "SELECT", ".csv")
CTAS = Kind("DDL", "CREATE_TABLE_AS_SELECT", "", "tables/")
KINDS = {
    r"(SELECT|WITH|VALUES|TABLE|\()": SELECT,
    r"INSERT INTO": Kind("DML", "INSERT", ""),
    r"DELETE FROM": Kind("DML", "DELETE", ".csv"),
    r"UPDATE": Kind("DML", "UPDATE", ".csv"),
    r"MERGE INTO": Kind("DML", "MERGE", ".csv"),
    r"EXPLAIN": Kind("DML", "EXPLAIN"),
    r"VACUUM": Kind("DML", None),
    r"CREATE (EXTERNAL )?TABLE .*?\bAS\b ?\(? ?(SELECT|WITH|VALUES|TABLE)": CTAS,
    r"CREATE (EXTERNAL )?TABLE": Kind("DDL", "CREATE_TABLE"),
    r"CREATE (DATABASE|SCHEMA)": Kind("DDL", "CREATE_DATABASE"),
    r"CREATE (OR REPLACE )?VIEW": Kind("DDL", "CREATE_VIEW"),
    r"DROP TABLE": Kind("DDL", "DROP_TABLE"),
    r"DROP (DATABASE|SCHEMA)": Kind("DDL", "DROP_DATABASE"),
    r"DROP VIEW": Kind("DDL", "DROP_VIEW"),
    r"ALTER TABLE": Kind("DDL", "ALTER_TABLE"),
    r"MSCK REPAIR TABLE": Kind("DDL", "MSCK_REPAIR"),
    r"OPTIMIZE": Kind("DDL", None),
    r"UNLOAD": Kind("DML", "UNLOAD"),
    r"SHOW TABLES": Kind("UTILITY", "SHOW_TABLES"),
    r"SHOW VIEWS": Kind("UTILITY", "SHOW_VIEWS"),
    r"SHOW (DATABASES|SCHEMAS)": Kind("UTILITY", "SHOW_DATABASES"),
    r"SHOW COLUMNS": Kind("UTILITY", "SHOW_COLUMNS"),
    r"SHOW PARTITIONS": Kind("UTILITY", "SHOW_PARTITIONS"),
    r"SHOW TBLPROPERTIES": Kind("UTILITY", "SHOW_TABLE_PROPERTIES"),
    r"SHOW CREATE TABLE": Kind("UTILITY", "SHOW_CREATE_TABLE"),
    r"SHOW CREATE VIEW": Kind("UTILITY", "SHOW_CREATE_VIEW"),
    r"DESC(RIBE)?": Kind("UTILITY", "DESCRIBE_TABLE"),
}

COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
QUOTED = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--[^\n]*|/\*.*?\*/""", re.DOTALL)


def kind(sql: str) -> Kind:
    """The kind of the statement, by its first words; comments between them count as spaces."""
    words = " ".join(QUOTED.sub(lambda text: " " if COMMENT.match(text[0]) else " _ ", sql).split())
    for pattern, found in KINDS.items():
        if re.match(rf"{pattern}(?!\w)" if pattern[-1].isalpha() else pattern, words, re.IGNORECASE):
            return found
    raise MalformedQueryError(f"line 1:1: mismatched input '{words.split(' ')[0] or '<EOF>'}'")
