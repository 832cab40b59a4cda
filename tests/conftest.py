# SPDX-License-Identifier: Apache-2.0
"""Fixtures that all tests share, and the markers that skip.

`helpers` beside this file holds what tests import: `from helpers.programs import ...`.
"""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from helpers.programs import Reference, RunDir


def pytest_collection_modifyitems(items):
    missing = Reference.missing()
    no_reference = pytest.mark.skip(reason=f"the reference lacks {missing}")
    no_root = pytest.mark.skip(reason="needs root and network namespaces")
    for item in items:
        if missing and item.get_closest_marker("reference"):
            item.add_marker(no_reference)
        if os.geteuid() and item.get_closest_marker("root"):
            item.add_marker(no_root)


@pytest.fixture
def run_dir(tmp_path_factory):
    """A private run directory; whatever was started in it is ended afterwards."""
    with RunDir() as made:
        yield made
