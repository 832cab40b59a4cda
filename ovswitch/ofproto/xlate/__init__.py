# SPDX-License-Identifier: Apache-2.0
"""xlate: a packet's way through the pipeline, from its flow to datapath actions.

    pipeline    running actions, searching tables, whole translations
    context     the state of one translation
    compiler    OpenFlow actions -> calls; steps_* say how, a family of actions each
    output normal mirror    where packets go
    vlan headers            VLAN tags, MPLS labels, header fields in a flow
    commit      changes of the flow -> datapath actions
    recirc      translations that stop and go on later
    learn       flows that make flows
    cache       what a translation used, for statistics

Switches, ports, bundles and rules are `ofproto/`'s; nothing here changes them, but for
what packets teach (addresses, flows) when the context has side effects.

Actions run tables, tables run actions: modules that call each other in a circle import
each other as modules.
"""
