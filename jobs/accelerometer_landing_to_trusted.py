"""Glue job: accelerometer readings their owner had consented to, landing to trusted.

    python jobs/accelerometer_landing_to_trusted.py --lake lake
    spark-submit jobs/accelerometer_landing_to_trusted.py --lake lake

The rule is `stedi_common.rules.tables.accelerometer_trusted`; the arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import run_job

if __name__ == "__main__":
    sys.exit(run_job("accelerometer_landing_to_trusted", sys.argv[1:]))
