"""Blocking: the candidate reference rows of each row."""
