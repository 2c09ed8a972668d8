"""What keeps people unnamed."""
