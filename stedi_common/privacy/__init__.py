"""Pseudonyms, and the key under which they are computed."""
