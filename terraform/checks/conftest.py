"""What several tests look at."""

import shutil

import pytest

from plan import Prod, copied, localstack, planned_prod


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Prod:
    """What prod would be."""
    if shutil.which("terraform") is None:
        pytest.skip("terraform is not installed")
    configuration = copied(tmp_path_factory.mktemp("prod"))
    with localstack(tmp_path_factory.mktemp("localstack")) as endpoint:
        return planned_prod(configuration, endpoint)
