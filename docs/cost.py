"""What a month costs: public prices, measured run times, and assumptions. Python alone is needed.

python docs/cost.py --set readings=500 --set glue_dpu_hour=0.29
"""

import argparse
import math
from collections.abc import Iterator
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

#: The value, and where it comes from.
ASSUMPTIONS = {
    "readings": (115, "readings of both kinds per customer and day: as the reference data has, one session"),
    "nights": (30, "runs a month"),
    "json_bytes": (100, "bytes of a reading in a drop: measured"),
    "landed_bytes": (20, "bytes of a reading in a landing table: 7 measured, but of few distinct values"),
    "made_bytes": (8, "bytes that a reading leaves in trusted and curated: 2.5 measured, likewise"),
    "land_core_seconds": (4.4, "to land a million readings: 24 s on 2 cores for 11 million, measured"),
    "make_core_seconds": (
        6.9,
        "to compute the five tables of a million readings: 38 s on 2 cores for 11 million, measured",
    ),
    "start_seconds": (45, "billed before a job does any work: assumed, not measured"),
    "worker_cores": (4, "cores of a worker, G.1X, 1 DPU; the first worker is the driver and computes nothing"),
    "hours": (1, "the longest that a run may take; it sets the number of workers, two at least"),
    "drop_days": (14, "days that drops are kept"),
    "copies": (6, "copies of trusted and curated, rewritten each night: four nights of snapshots, and their expiry"),
    "tables": (10, "tables, each with three optimizers that run every night"),
    "optimizer_dpus": (2, "DPUs of an optimizer, for the minute that is billed: assumed"),
    "keys": (5, "KMS keys, the account's state not counted"),
    "log_mb": (20, "MB that a job logs: assumed"),
    "metrics": (20, "metrics that the jobs' output is counted by, sent in one hour of a day"),
    "alarm_metrics": (20, "metrics that the alarms watch"),
    "queries": (440, "Athena queries a month"),
    "query_share": (0.1, "of machine_learning_curated, half of what is made, that a query reads, up to 10 GB"),
}

LAYOUTS = {"one-job": (1, 1, 8), "job-per-table": (3, 6, 44)}  # jobs that land, the other jobs, state transitions
CUSTOMERS = (1_000, 100_000, 1_000_000)
GB = 1e9


def services(customers: int, days: int, layout: str, p: SimpleNamespace, a: SimpleNamespace) -> dict[str, float]:
    """US dollars a month, by service, `days` after the first drop."""
    new = customers * a.readings
    history = new * days
    landing, making, transitions = LAYOUTS[layout]
    jobs = 1 if layout == "one-job" else landing + making

    # Landing reads what is new; the five tables are recomputed from all that has landed.
    core_seconds = (new * a.land_core_seconds + history * a.make_core_seconds) / 1e6
    workers = max(2, 1 + math.ceil(core_seconds / a.worker_cores / (3600 * a.hours)))
    seconds = core_seconds / a.worker_cores / (workers - 1)
    dpu_hours = jobs * workers * max(60, a.start_seconds + seconds / jobs) / 3600

    kept = new * a.json_bytes * a.drop_days + history * (a.landed_bytes + a.made_bytes * a.copies)
    # A file per table of readings and day, or more where days are large.
    written = sum(max(days, history * share * a.made_bytes / 128e6) for share in (0.3, 0.2, 0.5))
    read = 2 * written + max(days, history * a.landed_bytes / 128e6)
    puts, gets = a.nights * 1.3 * written, a.nights * 4 * read

    scanned = max(10e6, min(10 * GB, a.query_share * history * a.made_bytes / 2))
    logged = a.nights * jobs * a.log_mb / 1000
    return {
        "Glue jobs": a.nights * dpu_hours * p.glue_dpu_hour,
        "Glue table optimizers": a.nights * a.tables * 3 * a.optimizer_dpus / 60 * p.optimizer_dpu_hour,
        "S3 storage": kept / GB * p.s3_gb_month,
        "S3 requests": puts / 1000 * p.s3_1000_puts + gets / 1000 * p.s3_1000_gets,
        # A bucket key takes the place of 99 of 100 requests.
        "KMS": a.keys * p.kms_key_month + (puts + gets) / 100 / 10_000 * p.kms_10000_requests,
        "Step Functions": a.nights * transitions / 1000 * p.states_1000_transitions,
        "Athena": a.queries * scanned / 1e12 * p.athena_tb,
        "CloudWatch": logged * (p.log_gb + 12 * p.log_gb_month)
        + a.metrics * p.metric_month / 24
        + a.alarm_metrics * p.alarm_month
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
        for service in costs[0]:
            yield f"| {service} | " + " | ".join(f"{cost[service]:,.2f}" for cost in costs) + " |"
        yield "| **together** | " + " | ".join(f"**{sum(cost.values()):,.0f}**" for cost in costs) + " |"
        yield ""


def main() -> None:
    """Print the tables, with what they were made from."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a price or an assumption")
    given = dict(pair.split("=", 1) for pair in parser.parse_args().set)
    if unknown := given.keys() - PRICES.keys() - ASSUMPTIONS.keys():
        parser.error(f"expected names among {', '.join([*PRICES, *ASSUMPTIONS])}, got {', '.join(sorted(unknown))}")
    p = SimpleNamespace(**{name: float(given.get(name, price[0])) for name, price in PRICES.items()})
    a = SimpleNamespace(**{name: float(given.get(name, value[0])) for name, value in ASSUMPTIONS.items()})

    lines = list(tables(p, a))
    lines += ["| assumption | | |", "|---|---:|---|"]
    lines += [f"| `{name}` | {getattr(a, name):g} | {about} |" for name, (_, about) in ASSUMPTIONS.items()]
    lines += ["", "| price | USD | for | page |", "|---|---:|---|---|"]
    for name, (_, about, page) in PRICES.items():
        lines.append(
            f"| `{name}` | {getattr(p, name):g} | {about} | [{page}](https://aws.amazon.com/{page}/pricing/) |"
        )
    print("\n".join(lines))  # noqa: T201


if __name__ == "__main__":
    main()
