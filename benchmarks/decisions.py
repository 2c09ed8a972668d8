"""What one decision costs: `python benchmarks/decisions.py --engine embedded`.

Makes the tables of generated drops of 30 days. Then somebody withdraws who has training pairs, and somebody consents,
as of long ago, who had not. Tells how many rows went and came, how many bytes were written, and the seconds of landing,
removal and jobs together.
"""

import argparse
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from stedi_common.engines import connect
from stedi_common.engines.protocol import Engine
from stedi_common.generate import Plan, generate
from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.query import answer
from stedi_common.rules.lineage import JOBS
from stedi_common.rules.policy import Policy
from stedi_common.runs.run_all import run_all, tasks
from stedi_common.runs.settings import RunSettings

KEY = PseudonymKey(bytes(range(32)))
TABLES = [job.target for job in JOBS.values()]
#: Since their last record, which for those who did not consent is a refusal: what was before it does not come back.
WITH_MOST_READINGS = """SELECT r."user", any_value(serial) FROM landing.accelerometer_landing r
    JOIN (SELECT email, max(lastupdatedate) AS last, any_value(serialnumber) AS serial
          FROM landing.customer_landing GROUP BY 1) c ON r."user" = c.email AND r."timestamp" >= c.last
    WHERE ("user" IN (SELECT email FROM curated.customers_curated)) = {} GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"""


def night(engine: Engine, drops: Path) -> float:
    """Land and run; the seconds."""
    began = time.perf_counter()
    for done in run_all(engine, RunSettings(Policy(), KEY), tasks(str(drops))):
        if done.error:
            raise done.error
    return time.perf_counter() - began


def decided(engine: Engine, lake: Lake, drops: Path, *, consents: bool) -> dict[str, Any]:
    """What it costs that somebody now consents, or no longer does."""
    ((email, serial),) = answer(lake, WITH_MOST_READINGS.format(not consents)).rows
    record = {"email": email, "serialNumber": serial, "lastUpdateDate": round(datetime.now(UTC).timestamp() * 1000)}
    record |= {"shareWithResearchAsOfDate": 1_000_000_000_000} if consents else {}
    before = {table.name: engine.head(table) for table in TABLES}
    (drops / "customer" / f"decided-{consents}.json").write_text(json.dumps(record))
    seconds, told = night(engine, drops), {}
    for table in TABLES:
        head, written = engine.head(table), 0
        for snapshot in engine.history(table, head):
            if snapshot.snapshot_id == before[table.name].snapshot_id:
                break
            written += int(snapshot.summary.get("added-files-size", 0))
        told[table.name] = {"rows": head.rows - before[table.name].rows, "of": head.rows, "bytes written": written}
    return {"seconds": seconds, **told}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--engine", default="embedded")
    parser.add_argument("--readings", type=int, default=5_000_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        drops, lake = Path(folder) / "drops", Lake.at(f"{folder}/lake")
        generate(Plan(people=1000, readings=args.readings, days=30, dirt=0), drops, lambda *_: None)
        engine = connect(args.engine, lake)
        told: dict[str, Any] = {"full": {"seconds": night(engine, drops)}}
        told["withdrawal"] = decided(engine, lake, drops, consents=False)
        told["late consent"] = decided(engine, lake, drops, consents=True)
        engine.close()
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
