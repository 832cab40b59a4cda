# SPDX-License-Identifier: Apache-2.0
"""The server's tests share the database tests' small schema."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))
