# SPDX-License-Identifier: Apache-2.0
"""What the command line asked for beside the command."""

from __future__ import annotations

from ovswitch.openflow import protocol, version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ovswitch.flow.fields import Field


class Settings:
    """The options, with what they mean.

    Attributes:
        versions: bitmap of the OpenFlow versions to offer.
        protocols: the set of protocols to use for flows.
        bundle: --bundle.
        strict: --strict.
        read_only: --read-only.
        may_create: --may-create.
        readd: --readd.
        packet_in_format: --packet-in-format's number, None for the best there is.
        verbosity: how many times -m was given.
        timestamp: --timestamp.
        unixctl: --unixctl's path, None for the default.
        criteria: fields to sort by (None: priority) and whether in falling order.
        names: --names (True), --no-names (False), or None.
        stats: --stats or --no-stats.
        pcap, raw: options of commands for tests.
    """

    def __init__(self) -> None:
        self.versions = 1 << version.OF10
        self.protocols = protocol.ANY
        self.bundle = self.strict = self.read_only = False
        self.may_create = self.readd = False
        self.packet_in_format: int | None = None
        self.verbosity = 0
        self.timestamp = False
        self.unixctl: str | None = None
        self.criteria: list[tuple[Field | None, bool]] = []
        self.names: bool | None = None
        self.stats = True
        self.pcap = self.raw = False
        self._interactive: bool | None = None

    @property
    def accept_names(self) -> bool:
        """Whether ports and tables may be given by name."""
        return self.names is not False

    @property
    def show_names(self) -> bool:
        """Whether ports and tables are printed by name."""
        if self.names is not None:
            return self.names
        if self._interactive is None:
            import posix

            self._interactive = posix.isatty(1)
        return self._interactive

    def restrict_versions(self, bitmap: int) -> None:
        """Offer only versions of `bitmap`."""
        self.versions &= bitmap

    def prefer_bundles(self) -> None:
        """See to it that a version with bundles is offered."""
        with_bundles = protocol.versions_of(protocol.OF13_UP)
        if not self.versions & with_bundles:
            self.versions = 1 << version.OF14


#: The program's.
settings = Settings()
