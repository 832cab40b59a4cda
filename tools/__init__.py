# SPDX-License-Identifier: Apache-2.0
"""The command-line tools. They are synchronous, and lean: they start often."""
