"""Jobs whose error quotes a value of the drops; as a command, the one that fails while it commits."""

import sys
from dataclasses import replace
from typing import Any

import narwhals as nw

from stedi_common import jobs
from stedi_common.rules import lineage, tables


def while_collecting(customer_landing: Any) -> Any:
    """Classifies by a cast that fails, and whose message quotes the email."""
    rows = customer_landing.with_columns(nw.col("lastupdatedate").alias("consent_start"))
    return tables.classify(rows, no_consent=nw.col("email").cast(nw.Int64) > 0)


def while_committing(customer_landing: Any) -> Any:
    """Rows that can be counted but not written."""
    broken = nw.col("email").cast(nw.Int64).cast(nw.String)
    classified = tables.customer_trusted(customer_landing)
    return replace(classified, rows=classified.rows.with_columns(broken.alias("customername")))


if __name__ == "__main__":
    while_committing.__name__ = "customer_trusted"
    job = lineage.Job(while_committing)
    lineage.JOBS[job.name] = job
    sys.exit(jobs.run_job(job.name, sys.argv[1:]))
