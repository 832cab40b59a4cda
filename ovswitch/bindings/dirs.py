# SPDX-License-Identifier: Apache-2.0
"""Where programs keep their files, read once at import, as `ovs.dirs`."""

from __future__ import annotations

from ovswitch.runtime import dirs as _dirs

PKGDATADIR = _dirs.pkgdatadir()
RUNDIR = _dirs.rundir()
LOGDIR = _dirs.logdir()
BINDIR = _dirs.bindir()
DBDIR = _dirs.dbdir()
