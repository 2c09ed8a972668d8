"""Lets these tests find the oracle, which lies one folder up, when they are run alone."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
