# SPDX-License-Identifier: Apache-2.0
"""A daemon written for the official bindings, with a control socket and a pidfile."""

import argparse

import ovs.daemon
import ovs.dirs
import ovs.poller
import ovs.unixctl
import ovs.unixctl.server
import ovs.util
import ovs.vlog

vlog = ovs.vlog.Vlog("serve")
ending = []


def stop(conn, _argv, _aux):
    ending.append(conn)


def echo(conn, argv, aux):
    conn.reply(f"{aux} {argv}")


def fail(conn, _argv, _aux):
    conn.reply_error("no")


parser = argparse.ArgumentParser()
ovs.vlog.add_args(parser)
ovs.daemon.add_args(parser)
args = parser.parse_args()
ovs.vlog.handle_args(args)
ovs.daemon.handle_args(args)
ovs.daemon.daemonize_start()
error, server = ovs.unixctl.server.UnixctlServer.create(None)
if error:
    ovs.util.ovs_fatal(error, "no control socket", vlog)
ovs.unixctl.command_register("echo", "[ARG]...", 0, 3, echo, "said")
ovs.unixctl.command_register("fail", "", 0, 0, fail, None)
ovs.unixctl.command_register("stop", "", 0, 0, stop, None)
ovs.daemon.daemonize_complete()
while not ending:
    server.run()
    poller = ovs.poller.Poller()
    server.wait(poller)
    if not ending:
        poller.block()
for conn in ending:
    conn.reply("bye")
server.close()
