# SPDX-License-Identifier: Apache-2.0
"""What forwards: datapaths, their messages, their flows and ports.

`dpif` drives a datapath over a `transport_*`, with the messages of
linux/openvswitch.h; `odp` has keys and actions as attributes and as text; `dpctl` is
the commands of ovs-dpctl and dpctl/*.
"""
