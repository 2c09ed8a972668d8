"""`stedi init`: a project folder for the user's own contracts and functions."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from stedi_common.errors import ProjectError
from stedi_common.project import CONTRACTS_FOLDER, SETTINGS_FILE, TABLES_FILE

_FILES = {
    SETTINGS_FILE: """\
# This folder is a STEDI project: its contracts and its tables.py are used beside those of the package.
[project]

# What landing accepts of a line: docs/records.md, "Limits".
# [limits]
# line_bytes = 16777216

# The time zone of the local times of a source.
# [zones]
# customer = "Europe/Berlin"
""",
    TABLES_FILE: '''\
"""One function per table of this project, named after the table. Its parameters are the tables that it is made from.

The contract of each table stands in contracts/. A function returns every row of its first table, classified: with a
reason to drop it, or none. See docs/tutorials/new-source.md.
"""

from __future__ import annotations

import narwhals as nw

from stedi_common.rules.consent import made_before_consent
from stedi_common.rules.frames import Classified, Frame, classify
from stedi_common.rules.policy import Policy
from stedi_common.rules.tables import Lookup, people_admitted
''',
    f"{CONTRACTS_FOLDER}/README.md": """\
One YAML per table, in the Open Data Contract Standard. A source called `heart_rate` lands in `heart_rate_landing`.
""",
}


def make_project(folder: Path) -> list[Path]:
    """Create a project in a folder.

    Args:
        folder: the folder, which is created if it does not exist. Its files are not changed.

    Returns:
        The files that were created.

    Raises:
        ProjectError: one of the files exists already, or the folder cannot be written to.
    """
    wanted = {folder / name: content for name, content in _FILES.items()}
    if there := [file.name for file in wanted if file.exists()]:
        raise ProjectError(f"{folder}: expected no project, got {', '.join(there)}", hint="choose another folder")
    try:
        for file, content in wanted.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
    except BaseException as error:  # Ctrl-C, too: half a project would be in the way of the next attempt
        for file in wanted:
            with suppress(OSError):
                file.unlink()
        if isinstance(error, OSError):
            raise ProjectError(f"{folder}: expected a folder that can be written to, got {error.strerror}") from None
        raise
    return list(wanted)
