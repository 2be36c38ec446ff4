"""Scoring: evidence of candidates, the trained scorer, its calibration."""
