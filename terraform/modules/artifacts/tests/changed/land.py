"""Lands better."""
