"""A column that no line of a file has is a warning, if earlier files had it or a key resembles it."""

from datetime import datetime, timedelta

import pytest
from support.drops import drop
from support.lakes import write

from stedi_common import landing

WITH = {"email": "a@b.c", "lastUpdateDate": 1_700_000_000_000, "shareWithResearchAsOfDate": 1_700_000_000_000}
WITHOUT = {"email": "b@b.c", "lastUpdateDate": 1_700_000_000_000}
ALIKE = WITHOUT | {"share_with_research_as_of_date": 1_700_000_000_000}
CONSENT = "sharewithresearchasofdate"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([WITHOUT], []),
        ([WITH], []),
        ([ALIKE], ["; did the key become share_with_research_as_of_date?"]),
        ([WITH, WITHOUT], [""]),
        ([WITH, ALIKE], ["; did the key become share_with_research_as_of_date?"]),
        ([WITHOUT, WITHOUT], []),
    ],
)
def test_a_missing_consent_is_said_loudly(connect_to, tmp_path, key, files, expected):
    engine = connect_to("embedded", tmp_path / "lake")
    for number, record in enumerate(files, 1):
        write(tmp_path / "drops", {f"customer/{number}.json": drop(record)})
        arrival = datetime(2024, 4, 1) + timedelta(days=number)
        landed = landing.land(engine, "customer", str(tmp_path / "drops"), key, arrival)
    warnings = [warning for warning in landed.warnings if CONSENT in warning]
    file, loud = f"customer/{len(files)}.json", "; so no record in the file gives consent"
    assert warnings == [f"{file}: expected the column {CONSENT}, got no line with it{hint}{loud}" for hint in expected]
