import pytest

from tests.labelled_audit.cases import joined_malls


@pytest.fixture(scope="session")
def malls():
    return joined_malls()
