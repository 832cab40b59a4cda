# SPDX-License-Identifier: Apache-2.0
"""All action classes under one roof, for code that dispatches on them."""

from __future__ import annotations

from ovswitch.openflow.actions.action import Action
from ovswitch.openflow.actions.control import (
    Clone,
    Conjunction,
    DebugRecirc,
    DebugSlow,
    Exit,
    FinTimeout,
    Note,
    Resubmit,
    Sample,
)
from ovswitch.openflow.actions.controller import Controller
from ovswitch.openflow.actions.ct import (
    Ct,
    CtClear,
    Nat,
)
from ovswitch.openflow.actions.encap import (
    Decap,
    DecNshTtl,
    EdProp,
    Encap,
)
from ovswitch.openflow.actions.headers import (
    DecTtl,
    SetEthDst,
    SetEthSrc,
    SetIpDscp,
    SetIpEcn,
    SetIpTtl,
    SetIpv4Dst,
    SetIpv4Src,
    SetL4DstPort,
    SetL4SrcPort,
)
from ovswitch.openflow.actions.instructions import (
    ClearActions,
    GotoTable,
    Meter,
    WriteActions,
    WriteMetadata,
)
from ovswitch.openflow.actions.learn import (
    Learn,
    LearnSpec,
)
from ovswitch.openflow.actions.move import (
    CheckPktLarger,
    DeleteField,
    RegMove,
    StackPop,
    StackPush,
)
from ovswitch.openflow.actions.mpls import (
    DecMplsTtl,
    PopMpls,
    PushMpls,
    SetMplsLabel,
    SetMplsTc,
    SetMplsTtl,
)
from ovswitch.openflow.actions.output import (
    Enqueue,
    Group,
    Output,
    OutputReg,
    OutputTrunc,
    PopQueue,
    SetQueue,
)
from ovswitch.openflow.actions.select import (
    Bundle,
    Multipath,
)
from ovswitch.openflow.actions.set_field import (
    SetField,
)
from ovswitch.openflow.actions.subfield import Subfield
from ovswitch.openflow.actions.tunnel import (
    SetTunnel,
)
from ovswitch.openflow.actions.vlan import (
    PushVlan,
    SetVlanPcp,
    SetVlanVid,
    StripVlan,
)

__all__ = [
    "Action",
    "Bundle",
    "CheckPktLarger",
    "ClearActions",
    "Clone",
    "Conjunction",
    "Controller",
    "Ct",
    "CtClear",
    "DebugRecirc",
    "DebugSlow",
    "DecMplsTtl",
    "DecNshTtl",
    "DecTtl",
    "Decap",
    "DeleteField",
    "EdProp",
    "Encap",
    "Enqueue",
    "Exit",
    "FinTimeout",
    "GotoTable",
    "Group",
    "Learn",
    "LearnSpec",
    "Meter",
    "Multipath",
    "Nat",
    "Note",
    "Output",
    "OutputReg",
    "OutputTrunc",
    "PopMpls",
    "PopQueue",
    "PushMpls",
    "PushVlan",
    "RegMove",
    "Resubmit",
    "Sample",
    "SetEthDst",
    "SetEthSrc",
    "SetField",
    "SetIpDscp",
    "SetIpEcn",
    "SetIpTtl",
    "SetIpv4Dst",
    "SetIpv4Src",
    "SetL4DstPort",
    "SetL4SrcPort",
    "SetMplsLabel",
    "SetMplsTc",
    "SetMplsTtl",
    "SetQueue",
    "SetTunnel",
    "SetVlanPcp",
    "SetVlanVid",
    "StackPop",
    "StackPush",
    "StripVlan",
    "Subfield",
    "WriteActions",
    "WriteMetadata",
]
