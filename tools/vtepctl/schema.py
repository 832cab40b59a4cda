# SPDX-License-Identifier: Apache-2.0
"""The schema that vtep-ctl was written for, which comes with it."""

from __future__ import annotations

from ovswitch import ovsdb
from ovswitch.runtime import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def load_schema() -> Any:
    """Read `vtep.ovsschema` of this package."""
    with open(f"{ovsdb.__path__[0]}/vtep.ovsschema", "rb") as file:
        return json.from_string(file.read())
