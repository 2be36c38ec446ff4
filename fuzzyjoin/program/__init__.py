"""The program in the user's hand: loaded, applied, explained, and what joining by it gives."""

from fuzzyjoin.program.curve import CurvePoint, curve_frame, curve_points, precision_curve
from fuzzyjoin.program.program import JoinResult, Program

__all__ = [
    "CurvePoint",
    "JoinResult",
    "Program",
    "curve_frame",
    "curve_points",
    "precision_curve",
]
