# SPDX-License-Identifier: Apache-2.0
"""Which OpenFlow targets a bridge serves: its configured ones and BRIDGE.mgmt.

Unix domain sockets are confined to the run directory: whoever may write the database
should not thereby be able to write files, or talk to services, elsewhere.
"""

from __future__ import annotations

from ovswitch.bridge.config import BridgeConfig, ControllerConfig
from ovswitch.openflow.version import ALL_VERSIONS, bitmap, from_name
from ovswitch.runtime import dirs, vlog

_log = vlog.Module("bridge")
_limit = vlog.RateLimit(1, 5)

_MGMT_PROBE_INTERVAL = 60


def allowed_versions(protocols: frozenset[str]) -> int:
    """Return the versions that a bridge's `protocols` column allows, as a bitmap."""
    versions = [from_name(name) for name in protocols]
    return bitmap([v for v in versions if v is not None]) or ALL_VERSIONS


def wanted_services(
    bridge: BridgeConfig, *, self_confine: bool
) -> list[ControllerConfig]:
    """Return a bridge's targets, the management socket first."""
    services = [
        ControllerConfig(
            target=f"punix:{dirs.rundir()}/{bridge.name}.mgmt",
            row=None,
            is_primary=False,
            probe_interval=_MGMT_PROBE_INTERVAL,
            in_band=False,
        )
    ]
    services += [
        controller
        for controller in bridge.controllers
        if not self_confine or _is_confined(bridge.name, controller.target)
    ]
    return services


def _is_confined(bridge: str, target: str) -> bool:
    """Whether a target is harmless; complain if it isn't."""
    rundir = dirs.rundir()
    if target.startswith("unix:"):
        allowed = f"unix:{rundir}/"
        if "/" not in target or target.startswith(allowed):
            return True
        _log.err_rl(
            _limit,
            'bridge %s: Not connecting to socket controller "%s" due to possibility '
            "for remote exploit.  Instead, specify socket in permitted directory "
            '"%s" or connect to "unix:%s/%s.mgmt" (which is always available without '
            "special configuration).",
            *(bridge, target, allowed, rundir, bridge),
        )
        return False
    if target.startswith("punix:"):
        allowed = f"punix:{rundir}/{bridge}."
        if target.startswith(allowed) and "/" not in target[len(allowed) :]:
            return True
        _log.err_rl(
            _limit,
            'bridge %s: Not adding Unix domain socket controller "%s" due to '
            "possibility of overwriting local files. Instead, specify path in "
            'permitted format "%s*" or connect to "unix:%s/%s.mgmt" (which is always '
            "available without special configuration).",
            *(bridge, target, allowed, rundir, bridge),
        )
        return False
    return True
