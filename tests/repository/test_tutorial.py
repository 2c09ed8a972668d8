"""The tutorial for a new source, followed as it stands. `tests/deployment` follows its part about AWS."""

import os
import sys
from pathlib import Path

from support.processes import PATIENCE
from support.tutorial import assert_printed, follow, local_part


def test_the_commands_of_the_page_print_what_it_says(tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"HOME": str(tmp_path), "PATH": path, "COLUMNS": "120"}
    outputs = follow(local_part(), tmp_path, environment, 2 * PATIENCE)
    assert_printed(local_part(), outputs)
    assert any("heart_rate_trusted: 2 rows to delete on 2 days" in output for output in outputs)
