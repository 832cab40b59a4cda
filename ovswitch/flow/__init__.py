# SPDX-License-Identifier: Apache-2.0
"""The flow key: layout, match fields, matches and their text."""
