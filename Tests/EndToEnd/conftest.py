import pathlib
import tempfile

import pytest
from support import installation


@pytest.fixture(scope="session")
def package():
    """The tarball that nginx/package makes, and what it printed."""
    with tempfile.TemporaryDirectory(prefix="denoiser-") as folder:
        # The user who unpacks it is another.
        pathlib.Path(folder).chmod(0o755)
        yield installation.build_package(folder)
