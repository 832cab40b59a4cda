# SPDX-License-Identifier: Apache-2.0
"""A faithful Open vSwitch in Python with a C datapath."""
