# SPDX-License-Identifier: Apache-2.0
"""A few of the cycles that `kill_cycles.py` does by the thousand."""

import kill_cycles
import pytest


@pytest.mark.slow
def test_a_killed_server_loses_nothing():
    assert kill_cycles.run(8, seed=1) > 8
