# SPDX-License-Identifier: Apache-2.0
"""The commands of ovsdb-client, by what they do with the server's answers."""
