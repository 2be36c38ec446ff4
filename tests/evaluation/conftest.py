import pytest

from tests.evaluation.cases import joined_malls


@pytest.fixture(scope="session")
def malls():
    return joined_malls()
