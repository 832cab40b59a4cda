# SPDX-License-Identifier: Apache-2.0
"""The version that programs report, as `ovs.version`."""

from __future__ import annotations

from ovswitch.runtime.version import OVS_VERSION

VERSION = OVS_VERSION
