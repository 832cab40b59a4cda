# SPDX-License-Identifier: Apache-2.0
"""The compiled module: csrc/core_api.h says what is in `lib`."""

from typing import Any

ffi: Any
lib: Any
