# SPDX-License-Identifier: Apache-2.0
"""Makes `idl_rows` importable."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
