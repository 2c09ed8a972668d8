"""Glue job: what customers no longer consent to leaves the trusted and curated tables, the curated ones first.

    python jobs/remove_withdrawn.py --lake lake
    spark-submit jobs/remove_withdrawn.py --lake lake

It runs before the jobs that make the tables. The arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import remove_withdrawn

if __name__ == "__main__":
    sys.exit(remove_withdrawn(sys.argv[1:]))
