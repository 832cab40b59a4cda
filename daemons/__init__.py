# SPDX-License-Identifier: Apache-2.0
"""The daemons: options, signals, main loops. Everything else is in the library."""
