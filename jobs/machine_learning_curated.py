"""Glue job: pairs of step trainer and accelerometer readings for training, trusted to curated.

    python jobs/machine_learning_curated.py --lake lake
    spark-submit jobs/machine_learning_curated.py --lake lake

The rule is `stedi_common.rules.tables.machine_learning_curated`; the arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import run_job

if __name__ == "__main__":
    sys.exit(run_job("machine_learning_curated", sys.argv[1:]))
