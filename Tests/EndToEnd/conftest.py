import pathlib
import tempfile

import pytest
from support import installation


def pytest_collection_modifyitems(items):
    """For `-n 2 --dist loadgroup`: the tests of a file stay together, and those of the package, which is made once,
    begin first, because they take longest."""
    for item in items:
        uses_package = "package" in item.fixturenames
        item.add_marker(pytest.mark.xdist_group("package" if uses_package else item.path.name))
        item.stash[ORDER] = not uses_package
    items.sort(key=lambda item: item.stash[ORDER])


ORDER = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def package():
    """The tarball that nginx/package makes, and what it printed."""
    with tempfile.TemporaryDirectory(prefix="denoiser-") as folder:
        # The user who unpacks it is another.
        pathlib.Path(folder).chmod(0o755)
        yield installation.build_package(folder)
