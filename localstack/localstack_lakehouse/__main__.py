"""`python -m localstack_lakehouse`, the same as `localstack-lakehouse`."""

import sys

from .cli import main

sys.exit(main())
