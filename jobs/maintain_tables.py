"""Glue job: compaction, snapshot expiry and orphan file removal, for every table.

    python jobs/maintain_tables.py --lake lake
    spark-submit jobs/maintain_tables.py --lake lake

The steps are those of `stedi_common.maintenance`; the arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import maintain

if __name__ == "__main__":
    sys.exit(maintain(sys.argv[1:]))
