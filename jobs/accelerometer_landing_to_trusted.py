"""Glue job: accelerometer readings their owner had consented to, landing to trusted.

    python jobs/accelerometer_landing_to_trusted.py --lake lake
    spark-submit jobs/accelerometer_landing_to_trusted.py --lake lake

The rule is `stedi_common.rules.tables.accelerometer_trusted`; the arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import make

if __name__ == "__main__":
    sys.exit(make("accelerometer_landing_to_trusted", sys.argv[1:]))
