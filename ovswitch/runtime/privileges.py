# SPDX-License-Identifier: Apache-2.0
"""`--user`: going on as another user, with no more rights than the daemon needs.

The daemon keeps the right to bind low ports and lock memory and, if it works on a
datapath, to configure the network; the processes it starts inherit the latter as
ambient capabilities.
"""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
import struct

from ovswitch.runtime import preload, vlog, vlog_output

_log = vlog.Module("daemon_unix")

_CAP_NET_BIND_SERVICE = 10
_CAP_NET_BROADCAST = 11
_CAP_NET_ADMIN = 12
_CAP_NET_RAW = 13
_CAP_IPC_LOCK = 14
_CAP_LAST = 40

_PR_SET_KEEPCAPS = 8
_PR_CAPBSET_DROP = 24
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_HEADER = struct.Struct("=Ii")
_SETS = struct.Struct("=6I")  # effective, permitted, inheritable: low, then high words


class User:
    """Whom to become."""

    def __init__(self, name: str, uid: int, gid: int) -> None:
        self.name = name
        self.uid = uid
        self.gid = gid


def parse(spec: str, pidfile: str) -> User:
    """Return the user that `USER[:GROUP]` names; die if there is none.

    `pidfile` begins the messages, as it does the reference's.
    """
    if os.getuid() or os.geteuid():
        _log.fatal("%s: only root can use --user option", pidfile)
    name, colon, group = spec.lstrip(" \t\r\n").partition(":")
    try:
        entry = pwd.getpwnam(name) if name else pwd.getpwuid(os.getuid())
    except KeyError:
        _log.fatal("%s: user %s not found, aborting.", pidfile, name)
    gid = entry.pw_gid
    group = group.lstrip(" \t\r\n")
    if colon and group:
        gid = _group(spec, entry.pw_name, gid, group, pidfile)
    return User(entry.pw_name, entry.pw_uid, gid)


def _group(spec: str, user: str, gid: int, name: str, pidfile: str) -> int:
    try:
        entry = grp.getgrnam(name)
    except KeyError:
        _log.fatal("%s: group %s not found, aborting.", pidfile, name)
    if entry.gr_gid != gid and user not in entry.gr_mem:
        _log.fatal(
            "%s: Invalid --user option %s (user %s is not in group %s), aborting.",
            pidfile,
            spec,
            user,
            name,
        )
    return entry.gr_gid


def become(user: User, pidfile: str, *, access_datapath: bool) -> None:
    """Go on as another user; die if that fails."""
    preload.everything()
    problem = vlog_output.change_owner(user.uid, user.gid)
    if problem is not None:
        _log.fatal(
            "Failed to change %s ownership: %s.",
            vlog_output.file_name,
            os.strerror(problem.errno or 0),
        )
    kept = [_CAP_IPC_LOCK, _CAP_NET_BIND_SERVICE]
    ambient: list[int] = []
    if access_datapath:
        ambient = [_CAP_NET_ADMIN, _CAP_NET_RAW, _CAP_NET_BROADCAST]
    try:
        _change_id(user, kept + ambient, ambient)
    except OSError:
        _log.fatal(
            "%s: libcap-ng fail to switch to user and group %d:%d, aborting",
            pidfile,
            user.uid,
            user.gid,
        )


def _change_id(user: User, kept: list[int], ambient: list[int]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    kept_mask = sum(1 << capability for capability in kept)
    ambient_mask = sum(1 << capability for capability in ambient)
    _set_inheritable(libc, ambient_mask)
    # From here on nothing can be added to what is inheritable.
    for capability in range(_CAP_LAST + 1):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    _must(libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setgroups([])
    os.setresgid(user.gid, user.gid, user.gid)
    os.setresuid(user.uid, user.uid, user.uid)
    _capset(libc, [kept_mask, kept_mask, ambient_mask, 0, 0, 0])
    _must(libc.prctl(_PR_SET_KEEPCAPS, 0, 0, 0, 0))
    for capability in ambient:
        _must(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def _set_inheritable(libc: ctypes.CDLL, mask: int) -> None:
    """Let the processes that this one starts inherit capabilities, keep the others."""
    octets = ctypes.create_string_buffer(_SETS.size)
    _must(libc.capget(_HEADER.pack(_CAPABILITY_VERSION_3, 0), octets))
    words = list(_SETS.unpack(octets.raw))
    words[2] = mask
    words[5] = 0
    _capset(libc, words)


def _capset(libc: ctypes.CDLL, words: list[int]) -> None:
    _must(libc.capset(_HEADER.pack(_CAPABILITY_VERSION_3, 0), _SETS.pack(*words)))


def _must(result: int) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
