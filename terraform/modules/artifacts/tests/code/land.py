"""Lands."""
