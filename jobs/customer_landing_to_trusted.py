"""Glue job: customers who share their readings with research, landing to trusted.

    python jobs/customer_landing_to_trusted.py --lake lake
    spark-submit jobs/customer_landing_to_trusted.py --lake lake

The rule is `stedi_common.rules.tables.customer_trusted`; the arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import run_job

if __name__ == "__main__":
    sys.exit(run_job("customer_landing_to_trusted", sys.argv[1:]))
