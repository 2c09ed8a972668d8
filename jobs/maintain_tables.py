"""Glue job: few files, a short past, and nothing left lying about, for every table.

    python jobs/maintain_tables.py --lake lake
    spark-submit jobs/maintain_tables.py --lake lake

What is done stands in `stedi_common.maintenance`; the arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import maintain

if __name__ == "__main__":
    sys.exit(maintain(sys.argv[1:]))
