"""What tests share: drops, lakes, histories, and the oracle in plain Python."""
