"""What a month costs: public prices, measured times of nights, and assumptions. Python alone is needed.

python docs/cost.py --set readings=500 --set glue_dpu_hour=0.29
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

#: US dollars, us-east-1, without free tiers: the price, what it is for, and the page of AWS that has it.
PRICES = {
    "glue_dpu_hour": (0.44, "Glue job, a DPU for an hour, one minute at least (FLEX: 0.29)", "glue"),
    "optimizer_dpu_hour": (0.44, "Glue table optimizer, a DPU for an hour, one minute at least", "glue"),
    "s3_gb_month": (0.023, "S3 Standard, a GB for a month", "s3"),
    "s3_1000_puts": (0.005, "S3, 1,000 PUT or LIST", "s3"),
    "s3_1000_gets": (0.0004, "S3, 1,000 GET", "s3"),
    "kms_key_month": (1.0, "KMS, a key for a month; as much again for its first and second rotation", "kms"),
    "kms_10000_requests": (0.03, "KMS, 10,000 requests", "kms"),
    "states_1000_transitions": (0.025, "Step Functions, 1,000 state transitions", "step-functions"),
    "athena_tb": (5.0, "Athena, a TB scanned, 10 MB at least", "athena"),
    "log_gb": (0.50, "CloudWatch Logs, a GB ingested", "cloudwatch"),
    "log_gb_month": (0.03, "CloudWatch Logs, a GB kept for a month", "cloudwatch"),
    "metric_month": (0.30, "CloudWatch, a custom metric for a month, by the hours in which it is sent", "cloudwatch"),
    "alarm_month": (0.10, "CloudWatch, a metric that an alarm watches", "cloudwatch"),
    "dashboard_month": (3.0, "CloudWatch, a dashboard", "cloudwatch"),
    "secret_month": (0.40, "Secrets Manager, a secret for a month", "secrets-manager"),
    "sns_1000_emails": (0.02, "SNS, 1,000 e-mails", "sns"),
}

#: The day of the public copy that the price was read in: the page itself fills in its prices by script.
READ = {
    "glue": "2026-10-07",
    "s3": "2026-09-25",
    "kms": "2026-09-11",
    "step-functions": "no date",
    "athena": "2026-09-25",
    "cloudwatch": "2026-05-05",
    "secrets-manager": "2026-09-20",
    "sns": "no date",
}

#: What was measured on 2 cores, never on AWS: the value, and where it comes from. The conditions: benchmarks/README.md.
MEASURED = {
    "embedded_seconds": (0.57, "a night on the embedded engine, without its readings and customers"),
    "embedded_reading_seconds": (1.75, "for a million new readings: a full build of 110 million takes 192 s"),
    "embedded_customer_seconds": (4.6, "for a million customers, whose tables are computed as a whole each night"),
    "embedded_change_seconds": (
        0.94,
        "if a person withdraws, for a million readings that have landed: 4.7 s for 5 million",
    ),
    "embedded_maintain_seconds": (1.2, "the maintenance after a night: the last of 300 nights"),
    "spark_seconds": (18.2, "a night on Spark, without its readings and customers: most of it compiles plans"),
    "spark_reading_core_seconds": (
        11.3,
        "for a million new readings: 24 s to land 11 million, 38 s for the five tables",
    ),
    "spark_customer_core_seconds": (66, "for a million customers"),
    "spark_change_core_seconds": (
        6.9,
        "if a person withdraws, for a million readings that have landed: as in a full build",
    ),
    "install_seconds": (6, "pip installs the zip of wheels with the embedded engine: processor time"),
    "night_gets": (
        500,
        "GET and HEAD of S3 in a night with maintenance, embedded engine on LocalStack; taken for Spark, too",
    ),
    "night_puts": (155, "PUT and LIST of the same"),
    "night_catalog": (170, "requests to the Data Catalog of the same; free up to a million a month"),
    "json_bytes": (100, "bytes of a reading in a drop"),
}

#: The value, and what was assumed.
ASSUMED = {
    "readings": (115, "readings of both kinds per customer and day: as the reference data has, one session"),
    "nights": (30, "runs a month"),
    "changes": (
        0.02,
        "share of the customers whose consent changes in a year, each in a night of its own, until every night has one",
    ),
    "landed_bytes": (20, "bytes of a reading in a landing table: 7 measured, but of few distinct values"),
    "made_bytes": (8, "bytes that a reading leaves in trusted and curated: 2.5 measured, likewise"),
    "start_seconds": (45, "billed before a job does any work"),
    "request_seconds": (0.03, "for each of these requests, one after the other"),
    "embedded_bytes": (1e9, "up to so many bytes are read by the embedded engine: a setting"),
    "worker_cores": (
        4,
        "cores of a worker, G.1X, 1 DPU; the first worker is the driver, and computes nothing on Spark",
    ),
    "hours": (1, "the longest that a run may take; it sets the number of workers, two at least"),
    "drop_days": (14, "days that drops are kept"),
    "copies": (
        6,
        "copies of trusted and curated if they are rewritten each night: four nights of snapshots, and their expiry",
    ),
    "tables": (10, "tables, each with three optimizers that run every night in job-per-table"),
    "optimizer_dpus": (2, "DPUs of an optimizer, for the minute that is billed"),
    "keys": (5, "KMS keys, the account's state not counted"),
    "log_mb": (20, "MB that a job logs"),
    "metrics": (20, "metrics that the jobs' output is counted by, sent in one hour of a day"),
    "alarm_metrics": (20, "metrics that the alarms watch; maintenance in one-job has two more"),
    "queries": (440, "Athena queries a month"),
    "query_share": (0.1, "of machine_learning_curated, half of what is made, that a query reads, up to 10 GB"),
}

ONE_JOB, JOB_PER_TABLE = "one-job", "job-per-table"
LAYOUTS = {ONE_JOB: (1, 8), JOB_PER_TABLE: (9, 44)}  # jobs, state transitions
CUSTOMERS = (1_000, 100_000, 1_000_000)
GB = 1e9


@dataclass(frozen=True)
class Lake:
    """A lake after so many days of drops: its readings, those of a night, and its nights of both kinds a month."""

    customers: int
    new: float
    history: float
    days: int
    nights: float
    changes: float

    @classmethod
    def of(cls, customers: int, days: int, a: SimpleNamespace) -> "Lake":
        """The lake of so many customers."""
        new = customers * a.readings
        return cls(customers, new, new * days, days, a.nights, min(a.nights, customers * a.changes / 12))


def is_embedded(lake: Lake, layout: str, a: SimpleNamespace) -> bool:
    """Whether a night runs on the embedded engine: by the drops that are new, and by what is read of the tables.

    A change of the customer records, of which there is one each night, counts as a change of all days.
    """
    counted = lake.history * (2 * a.landed_bytes + a.made_bytes)
    return layout == ONE_JOB and max(lake.new * a.json_bytes, counted) <= a.embedded_bytes


def dpu_hours(lake: Lake, layout: str, a: SimpleNamespace, *, changes: bool) -> float:
    """What a night costs: a new day, and if a consent changes also what has landed, of which each file is rewritten."""
    new, customers, rewritten = lake.new / 1e6, lake.customers / 1e6, lake.history / 1e6 * changes
    waits = (a.night_gets + a.night_puts + a.night_catalog) * a.request_seconds
    if is_embedded(lake, layout, a):
        work = new * a.embedded_reading_seconds + customers * a.embedded_customer_seconds
        work += rewritten * a.embedded_change_seconds + a.embedded_seconds + a.embedded_maintain_seconds
        return 2 * max(60, a.start_seconds + a.install_seconds + waits + work) / 3600
    jobs, _ = LAYOUTS[layout]
    core_seconds = new * a.spark_reading_core_seconds + customers * a.spark_customer_core_seconds
    core_seconds += rewritten * a.spark_change_core_seconds
    workers = max(2, 1 + math.ceil(core_seconds / a.worker_cores / (3600 * a.hours)))
    seconds = a.spark_seconds + waits + core_seconds / a.worker_cores / (workers - 1)
    extra = a.install_seconds + a.embedded_maintain_seconds if layout == ONE_JOB else 0
    return jobs * workers * max(60, a.start_seconds + extra + seconds / jobs) / 3600


def services(customers: int, days: int, layout: str, p: SimpleNamespace, a: SimpleNamespace) -> dict[str, float]:
    """US dollars a month, by service, `days` after the first drop."""
    lake = Lake.of(customers, days, a)
    jobs, transitions = LAYOUTS[layout]
    quiet = lake.nights - lake.changes

    rewriting = lake.changes / lake.nights
    copies = 1 + (a.copies - 1) * rewriting
    kept = lake.new * a.json_bytes * a.drop_days + lake.history * (a.landed_bytes + a.made_bytes * copies)
    puts, gets = lake.nights * a.night_puts, lake.nights * a.night_gets
    # A file per table of readings and day, or more where days are large: a change reads and rewrites all of them.
    written = sum(max(days, lake.history * share * a.made_bytes / 128e6) for share in (0.3, 0.2, 0.5))
    read = 2 * written + max(days, lake.history * a.landed_bytes / 128e6)
    puts, gets = puts + lake.changes * 1.3 * written, gets + lake.changes * 4 * read
    optimizers = 0 if layout == ONE_JOB else a.nights * a.tables * 3 * a.optimizer_dpus / 60

    scanned = max(10e6, min(10 * GB, a.query_share * lake.history * a.made_bytes / 2))
    logged = a.nights * jobs * a.log_mb / 1000
    return {
        "Glue jobs, a new day": quiet * dpu_hours(lake, layout, a, changes=False) * p.glue_dpu_hour,
        "Glue jobs, a consent changes": lake.changes * dpu_hours(lake, layout, a, changes=True) * p.glue_dpu_hour,
        "Glue table optimizers": optimizers * p.optimizer_dpu_hour,
        "S3 storage": kept / GB * p.s3_gb_month,
        "S3 requests": puts / 1000 * p.s3_1000_puts + gets / 1000 * p.s3_1000_gets,
        # A bucket key takes the place of 99 of 100 requests.
        "KMS": a.keys * p.kms_key_month + (puts + gets) / 100 / 10_000 * p.kms_10000_requests,
        "Step Functions": a.nights * transitions / 1000 * p.states_1000_transitions,
        "Athena": a.queries * scanned / 1e12 * p.athena_tb,
        "CloudWatch": logged * (p.log_gb + 12 * p.log_gb_month)
        + a.metrics * p.metric_month / 24
        + (a.alarm_metrics + 2 * (layout == ONE_JOB)) * p.alarm_month
        + p.dashboard_month,
        "Secrets Manager": p.secret_month,
        "SNS": a.nights / 1000 * p.sns_1000_emails,
    }


def tables(p: SimpleNamespace, a: SimpleNamespace) -> Iterator[str]:
    """The lines of Markdown, a table after a month of drops and one after a year."""
    columns = [(customers, layout) for customers in CUSTOMERS for layout in LAYOUTS]
    for days in (30, 365):
        yield f"US dollars a month, when {days} days of drops have landed:"
        yield ""
        yield "| customers | " + " | ".join(f"{customers:,} {layout}" for customers, layout in columns) + " |"
        yield "|---" + "|---:" * len(columns) + "|"
        costs = [services(customers, days, layout, p, a) for customers, layout in columns]
        engines = [is_embedded(Lake.of(customers, days, a), layout, a) for customers, layout in columns]
        yield "| engine | " + " | ".join("embedded" if embedded else "Spark" for embedded in engines) + " |"
        for service in costs[0]:
            yield f"| {service} | " + " | ".join(f"{cost[service]:,.2f}" for cost in costs) + " |"
        yield "| **together** | " + " | ".join(f"**{sum(cost.values()):,.0f}**" for cost in costs) + " |"
        for name, changes in {"one night, a new day": False, "one night, a consent changes": True}.items():
            hours = (
                dpu_hours(Lake.of(customers, days, a), layout, a, changes=changes) for customers, layout in columns
            )
            yield f"| {name} | " + " | ".join(f"{each * p.glue_dpu_hour:,.3f}" for each in hours) + " |"
        yield ""


def main() -> None:
    """Print the tables, with what they were made from."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a price or an assumption")
    given = dict(pair.split("=", 1) for pair in parser.parse_args().set)
    quantities = MEASURED | ASSUMED
    if unknown := given.keys() - PRICES.keys() - quantities.keys():
        parser.error(f"expected names among {', '.join([*PRICES, *quantities])}, got {', '.join(sorted(unknown))}")
    p = SimpleNamespace(**{name: float(given.get(name, price[0])) for name, price in PRICES.items()})
    a = SimpleNamespace(**{name: float(given.get(name, value[0])) for name, value in quantities.items()})

    lines = list(tables(p, a))
    for kind, values in {"measured": MEASURED, "assumed": ASSUMED}.items():
        lines += [f"| {kind} | | |", "|---|---:|---|"]
        lines += [f"| `{name}` | {getattr(a, name):,g} | {about} |" for name, (_, about) in values.items()]
        lines.append("")
    lines += ["| price | USD | for | page |", "|---|---:|---|---|"]
    for name, (_, about, page) in PRICES.items():
        lines.append(
            f"| `{name}` | {getattr(p, name):g} | {about} | [{page}](https://aws.amazon.com/{page}/pricing/) |"
        )
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
