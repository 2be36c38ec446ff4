"""Numba kernels: arrays in, arrays out. No strings, no classes, nothing of the rest of the package."""
