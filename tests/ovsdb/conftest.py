# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the database's tests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from tree_schema import Transactor


@pytest.fixture
def tree():
    return Transactor()
