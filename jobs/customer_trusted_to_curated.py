"""Glue job: consenting customers with trusted readings, trusted to curated.

    python jobs/customer_trusted_to_curated.py --lake lake
    spark-submit jobs/customer_trusted_to_curated.py --lake lake

The rule is `stedi_common.rules.tables.customers_curated`; the arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import run_job

if __name__ == "__main__":
    sys.exit(run_job("customer_trusted_to_curated", sys.argv[1:]))
