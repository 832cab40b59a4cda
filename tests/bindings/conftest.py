# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the drop-in's tests."""

import pytest

from ovswitch.bindings.vlog import Vlog
from ovswitch.runtime import vlog


@pytest.fixture(autouse=True)
def log_levels(monkeypatch):
    """Who connects silences the log of the process: undo that."""
    monkeypatch.setattr(Vlog, "_initialized", False)
    levels = {name: list(module.levels) for name, module in vlog.modules.items()}
    defaults = list(vlog._default_levels)
    yield
    vlog._default_levels[:] = defaults
    for name, module in vlog.modules.items():
        module.levels[:] = levels.get(name, defaults)
        module.update_min_level()
