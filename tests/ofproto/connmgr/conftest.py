# SPDX-License-Identifier: Apache-2.0
"""Switches for the tests of OpenFlow requests."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from connmgr_switch import Switch


@pytest.fixture
def switch():
    """A switch with ports p1 and p2."""
    return Switch()
