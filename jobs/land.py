"""Glue job: new drops of one source become rows of its landing table.

    python jobs/land.py --source customer --landing drops --lake lake
    spark-submit jobs/land.py --source customer --landing drops --lake lake

`stedi_common.records` says what a record is; the arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import land

if __name__ == "__main__":
    sys.exit(land(sys.argv[1:]))
