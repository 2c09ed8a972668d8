"""`python -m stedi_common.cli`."""

from stedi_common.cli import main

main()
