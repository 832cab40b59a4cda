# SPDX-License-Identifier: Apache-2.0
"""The MAC learning table: behind which port an Ethernet address was seen last.

Entries are kept by (address, VLAN) in the order of their last use: Python's
dictionaries keep the order of insertion, so an entry that is used again is taken out
and put back. So the first is the one to expire next, since all dynamic entries live
equally long. At most `max_entries` are kept: when the table is full the port with the
most entries loses its oldest, so that one noisy port can't crowd out the others.

`need_revalidate` says that an answer changed, and flows based on it must be checked.

Source: the reference's mac-learning.c.
"""

from __future__ import annotations

from typing import Generic, TypeVar

P = TypeVar("P")

DEFAULT_MAX = 8192
DEFAULT_IDLE_TIME = 300
GRAT_ARP_LOCK_TIME = 5  # seconds

_MULTICAST = 1 << 40
_NEVER = -(1 << 62)


class MacEntry(Generic[P]):
    """Where one address in one VLAN is.

    Attributes:
        expires: in s of monotonic time; None for a static entry.
        grat_arp_lock: until when gratuitous ARP from bonds is not learned from, in s.
    """

    __slots__ = ("expires", "grat_arp_lock", "mac", "port", "vlan")

    def __init__(self, mac: int, vlan: int, port: P) -> None:
        self.mac = mac
        self.vlan = vlan
        self.port = port
        self.expires: int | None = 0
        self.grat_arp_lock = _NEVER

    @property
    def is_static(self) -> bool:
        """Whether the entry was configured: it neither moves nor expires."""
        return self.expires is None


_Key = tuple[int, int]


class MacLearning(Generic[P]):
    """A learning table; ports are any hashable objects.

    Attributes:
        idle_time: how long an unused entry lives, in s.
        flood_vlans: VLANs in which nothing is learned.
        total_*: statistics since the last `clear_statistics()`.
    """

    __slots__ = (
        "_by_port", "_entries", "flood_vlans", "idle_time", "max_entries",
        "need_revalidate", "static_entries", "total_evicted", "total_expired",
        "total_learned", "total_moved",
    )  # fmt: skip

    def __init__(self, idle_time: int = DEFAULT_IDLE_TIME) -> None:
        self._entries: dict[_Key, MacEntry[P]] = {}
        self._by_port: dict[P, dict[_Key, MacEntry[P]]] = {}
        self.flood_vlans: frozenset[int] = frozenset()
        self.idle_time = _normal_idle_time(idle_time)
        self.max_entries = DEFAULT_MAX
        self.need_revalidate = False
        self.static_entries = 0
        self.clear_statistics()

    def clear_statistics(self) -> None:
        """Set all totals to 0."""
        self.total_learned = 0
        self.total_expired = 0
        self.total_evicted = 0
        self.total_moved = 0

    def set_idle_time(self, idle_time: int) -> None:
        """Change how long entries live, 15 to 3600 s, those there are too."""
        idle_time = _normal_idle_time(idle_time)
        change = idle_time - self.idle_time
        self.idle_time = idle_time
        if change:
            for entry in self._entries.values():
                if entry.expires is not None:
                    entry.expires += change

    def set_max_entries(self, max_entries: int) -> None:
        """Change the bound, 10 to 1,000,000."""
        self.max_entries = min(max(max_entries, 10), 1_000_000)

    def set_flood_vlans(self, vlans: frozenset[int]) -> bool:
        """Set the VLANs in which nothing is learned; return whether they changed."""
        changed = vlans != self.flood_vlans
        self.flood_vlans = vlans
        return changed

    def __len__(self) -> int:
        return len(self._entries)

    def entries(self) -> list[MacEntry[P]]:
        """Return all entries, the one used longest ago first."""
        return list(self._entries.values())

    def age(self, entry: MacEntry[P], now: int) -> int:
        """Return how many seconds ago a dynamic entry was used."""
        assert entry.expires is not None
        return self.idle_time - (entry.expires - now)

    def lookup(self, mac: int, vlan: int) -> MacEntry[P] | None:
        """Return where `mac` is, if that was learned."""
        if mac & _MULTICAST or vlan in self.flood_vlans:
            return None
        return self._entries.get((mac, vlan))

    def update(
        self,
        mac: int,
        vlan: int,
        port: P,
        now: int,
        *,
        is_grat_arp: bool = False,
        is_bond: bool = False,
    ) -> bool:
        """Learn that a packet from `mac` came through `port`; `now` is in s.

        Return whether the address was not known to be there.
        """
        if mac & _MULTICAST or vlan in self.flood_vlans:
            return False
        entry = self._entries.get((mac, vlan))
        if entry is not None and entry.expires is None:
            return False
        if entry is None:
            entry = self._new_entry(mac, vlan, port)
            self.total_learned += 1
            is_new = True
        else:
            is_new = False
            is_fresh = self.age(entry, now) <= 0 and entry.port == port
            if is_fresh and (not is_grat_arp or is_bond):
                return False  # nothing to note, not even for the order of use
            self._touch(entry)
        entry.expires = now + self.idle_time
        if is_grat_arp:
            if not is_bond:
                entry.grat_arp_lock = now + GRAT_ARP_LOCK_TIME
            elif now < entry.grat_arp_lock and not is_new:
                return False
        if entry.port == port and not is_new:
            return False
        if not is_new:
            self.total_moved += 1
            self._set_port(entry, port)
        self.need_revalidate = True
        return True

    def is_grat_arp_locked(self, entry: MacEntry[P], now: int) -> bool:
        """Return whether gratuitous ARP from a bond may not move `entry`."""
        return now < entry.grat_arp_lock

    def add_static(self, mac: int, vlan: int, port: P) -> None:
        """Configure where `mac` is."""
        entry = self._entries.get((mac, vlan))
        if entry is None:
            entry = self._new_entry(mac, vlan, port)
        else:
            self._touch(entry)
        if entry.expires is not None:
            self.static_entries += 1
            entry.expires = None
        if entry.port != port:
            self._set_port(entry, port)
        self.need_revalidate = True

    def remove_static(self, mac: int, vlan: int) -> bool:
        """Undo `add_static()`; return whether there was such an entry."""
        entry = self.lookup(mac, vlan)
        if entry is None or not entry.is_static:
            return False
        self._remove(entry)
        return True

    def flush(self) -> None:
        """Forget all that was learned; static entries stay."""
        for entry in self.entries():
            if not entry.is_static:
                self._remove(entry)

    def forget_port(self, port: P) -> None:
        """Forget every address behind `port`, which goes away."""
        for entry in list(self._by_port.get(port, {}).values()):
            self._remove(entry)

    def run(self, now: int) -> bool:
        """Expire what is too old at `now` (s); return whether flows need a check."""
        for entry in self.entries():
            if entry.expires is None:
                continue
            if len(self._entries) <= self.max_entries and now < entry.expires:
                break
            self.total_expired += 1
            self._remove(entry)
        result = self.need_revalidate
        self.need_revalidate = False
        return result

    def deadline(self) -> int | None:
        """Return when `run()` has something to do, in s, or None."""
        for entry in self._entries.values():
            if entry.expires is not None:
                return entry.expires
        return None

    def _new_entry(self, mac: int, vlan: int, port: P) -> MacEntry[P]:
        if len(self._entries) >= self.max_entries:
            self._evict()
        entry = MacEntry(mac, vlan, port)
        self._entries[mac, vlan] = entry
        self._by_port.setdefault(port, {})[mac, vlan] = entry
        return entry

    def _evict(self) -> None:
        fullest = max(self._by_port.values(), key=len)
        self.total_evicted += 1
        self._remove(next(iter(fullest.values())))

    def _touch(self, entry: MacEntry[P]) -> None:
        """Make `entry` the one used last."""
        key = entry.mac, entry.vlan
        del self._entries[key]
        self._entries[key] = entry
        of_port = self._by_port[entry.port]
        del of_port[key]
        of_port[key] = entry

    def _set_port(self, entry: MacEntry[P], port: P) -> None:
        self._leave_port(entry)
        entry.port = port
        self._by_port.setdefault(port, {})[entry.mac, entry.vlan] = entry

    def _leave_port(self, entry: MacEntry[P]) -> None:
        of_port = self._by_port[entry.port]
        del of_port[entry.mac, entry.vlan]
        if not of_port:
            del self._by_port[entry.port]

    def _remove(self, entry: MacEntry[P]) -> None:
        self._leave_port(entry)
        del self._entries[entry.mac, entry.vlan]
        if entry.is_static:
            self.static_entries -= 1
        self.need_revalidate = True


def _normal_idle_time(seconds: int) -> int:
    return min(max(seconds, 15), 3600)
