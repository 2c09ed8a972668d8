"""Runs: the executor of a plan, the deletion of withdrawn rows, and the sequence of a whole run."""
