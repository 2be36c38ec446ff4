"""Joining: what a definition decides for every query row, as tables and in words."""
