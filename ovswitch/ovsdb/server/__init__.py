# SPDX-License-Identifier: Apache-2.0
"""The database server without its sockets: sessions, locks, monitors, remotes."""
