# SPDX-License-Identifier: Apache-2.0
"""A cluster of the reference's database servers, for clients to follow."""

from helpers.programs import SCHEMA, Reference, RunDir, wait_until

DATABASE = "Open_vSwitch"


class Cluster(RunDir):
    """Members 1 to `size`, each on DIR/sN.sock; those that run are in `members`."""

    def __init__(self, size):
        super().__init__()
        self.members = {}
        tool = Reference.path("ovsdb-tool")
        self.run([tool, "create-cluster", "s1.db", SCHEMA, self.raft(1)], check=True)
        self.start_member(1)
        for number in range(2, size + 1):
            words = ["join-cluster", f"s{number}.db", DATABASE]
            addresses = [self.raft(number), self.raft(1)]
            self.run([tool, *words, *addresses], check=True)
            self.start_member(number)
        wait_until(lambda: all(self.role(number) for number in self.members))

    def raft(self, number):
        return f"unix:{self.path}/s{number}.raft"

    def remote(self, number):
        return f"unix:{self.path}/s{number}.sock"

    @property
    def remotes(self):
        """All members that were ever started, running or not."""
        sockets = sorted(self.path.glob("s?.sock"))
        return ",".join(f"unix:{socket}" for socket in sockets)

    def start_member(self, number, *options):
        words = [
            Reference.path("ovsdb-server"),
            f"s{number}.db",
            f"--remote=p{self.remote(number)}",
            f"--unixctl={self.path}/s{number}.ctl",
            "-vconsole:off",
        ]
        self.members[number] = self.start([*words, *options])
        wait_until(lambda: (self.path / f"s{number}.ctl").exists())

    def stop_member(self, number):
        """End a member in good order: a leader hands its office over."""
        child = self.members.pop(number)
        child.terminate()
        child.wait(10)

    def control(self, number, *words):
        words = ["-t", f"{self.path}/s{number}.ctl", *words]
        return self.appctl(*words, implementation=Reference).out

    def status(self, number, key):
        """Return a line of cluster/status without its key; None if there is none."""
        for line in self.control(number, "cluster/status", DATABASE).splitlines():
            name, colon, value = line.partition(": ")
            if colon and name == key:
                return value
        return None

    def role(self, number):
        role = self.status(number, "Role")
        return role if role in ("leader", "follower") else None

    def leader(self):
        """Wait until a member leads; return its number."""
        found = []

        def is_found():
            leaders = [n for n in self.members if self.role(n) == "leader"]
            found[:] = leaders
            return leaders

        wait_until(is_found)
        return found[0]
