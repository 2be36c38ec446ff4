"""Settings of all tests."""

from hypothesis import HealthCheck, settings

# The same cases in every run, so that a red build can be repeated; kernels compile in their first example.
settings.register_profile("repeatable", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("repeatable")
