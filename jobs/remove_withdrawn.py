"""Glue job: withdrawn rows are deleted from the trusted and curated tables, the last table of the lineage first.

    python jobs/remove_withdrawn.py --lake lake
    spark-submit jobs/remove_withdrawn.py --lake lake

It runs before the jobs that compute the tables. The arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import remove_withdrawn

if __name__ == "__main__":
    sys.exit(remove_withdrawn(sys.argv[1:]))
