"""Glue job: one table that has no script of its own, made from the tables that its contract names.

    python jobs/make_table.py --job accelerometer_landing_to_trusted --lake lake
    spark-submit jobs/make_table.py --job accelerometer_landing_to_trusted --lake lake

`--job` is the contract's `madeBy`; the other arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import make_table

if __name__ == "__main__":
    sys.exit(make_table(sys.argv[1:]))
