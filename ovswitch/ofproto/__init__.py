# SPDX-License-Identifier: Apache-2.0
"""One OpenFlow switch: tables, ports, controllers' side; xlate/ is its pipeline.

    backer      one datapath and its switches      ofproto   one switch
    port bundle mirror features                    what is configured
    classifier subtable trie                       which rule matches
    rule table tables flow_mod                     flow tables and their changes
    mac_learning                                   where addresses are
    xlate/                                         flow -> datapath actions
    udpif upcall revalidator                       misses; keeping the datapath's flows
    connmgr ofconn requests ...                    OpenFlow connections, without sockets
    trace commands                                 ovs-appctl's view

Nothing here opens a socket, reads a clock or sleeps: shells in bridge/ and daemons/ do.
"""
