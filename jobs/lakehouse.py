"""Glue job: new drops of all sources become landing, trusted and curated tables, in one session.

    python jobs/lakehouse.py --landing drops --lake lake
    spark-submit jobs/lakehouse.py --landing drops --lake lake

It suits a small lake: Glue bills at least a minute for every job. The arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import lakehouse

if __name__ == "__main__":
    sys.exit(lakehouse(sys.argv[1:]))
