"""Glue job: step trainer readings of curated customers' devices, landing to trusted.

    python jobs/step_trainer_landing_to_trusted.py --lake lake
    spark-submit jobs/step_trainer_landing_to_trusted.py --lake lake

The rule is `stedi_common.rules.tables.step_trainer_trusted`; the arguments are those of `stedi_common.jobs`.
"""

import sys

from stedi_common.jobs import run_job

if __name__ == "__main__":
    sys.exit(run_job("step_trainer_landing_to_trusted", sys.argv[1:]))
