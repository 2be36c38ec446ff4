"""Comparing candidate pairs: join functions, distances, features."""
