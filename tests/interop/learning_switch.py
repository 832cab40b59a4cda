# SPDX-License-Identifier: Apache-2.0
"""An os-ken controller: a learning switch, in OpenFlow 1.0 or 1.3.

    learning_switch.py PORT 1.0|1.3

It listens on 127.0.0.1:PORT, floods what it doesn't know and installs a flow for what
it does. "connected" on its output means that a switch has said what it is.
"""

import os
import sys

os.environ.setdefault("OSKEN_HUB_TYPE", "eventlet")

from os_ken.lib import hub

hub.patch()

from os_ken import cfg  # noqa: E402
from os_ken.base import app_manager  # noqa: E402
from os_ken.controller import ofp_event  # noqa: E402
from os_ken.controller.handler import (  # noqa: E402
    CONFIG_DISPATCHER,
    MAIN_DISPATCHER,
    set_ev_cls,
)
from os_ken.lib.packet import ethernet, packet  # noqa: E402
from os_ken.ofproto import ofproto_v1_0, ofproto_v1_3  # noqa: E402

VERSIONS = {"1.0": ofproto_v1_0.OFP_VERSION, "1.3": ofproto_v1_3.OFP_VERSION}


class LearningSwitch(app_manager.OSKenApp):
    OFP_VERSIONS = (VERSIONS[sys.argv[2]],)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ports = {}

    @set_ev_cls(ofp_event.EventOFPSwitchFeatures, CONFIG_DISPATCHER)
    def on_features(self, event):
        datapath = event.msg.datapath
        if datapath.ofproto is ofproto_v1_3:
            parser, ofproto = datapath.ofproto_parser, datapath.ofproto
            self.add_flow(
                datapath,
                0,
                parser.OFPMatch(),
                [parser.OFPActionOutput(ofproto.OFPP_CONTROLLER, 0xFFFF)],
            )
        print("connected", flush=True)

    def add_flow(self, datapath, priority, match, actions):
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        if ofproto is ofproto_v1_3:
            instruction = parser.OFPInstructionActions(
                ofproto.OFPIT_APPLY_ACTIONS, actions
            )
            message = parser.OFPFlowMod(
                datapath=datapath,
                priority=priority,
                match=match,
                instructions=[instruction],
            )
        else:
            message = parser.OFPFlowMod(
                datapath=datapath, priority=priority, match=match, actions=actions
            )
        datapath.send_msg(message)

    @set_ev_cls(ofp_event.EventOFPPacketIn, MAIN_DISPATCHER)
    def on_packet_in(self, event):
        message = event.msg
        datapath = message.datapath
        parser, ofproto = datapath.ofproto_parser, datapath.ofproto
        is_v13 = ofproto is ofproto_v1_3
        in_port = message.match["in_port"] if is_v13 else message.in_port
        frame = packet.Packet(message.data).get_protocol(ethernet.ethernet)
        self.ports[frame.src] = in_port
        out_port = self.ports.get(frame.dst, ofproto.OFPP_FLOOD)
        actions = [parser.OFPActionOutput(out_port)]
        if out_port != ofproto.OFPP_FLOOD:
            fields = {"in_port": in_port}
            fields["eth_dst" if is_v13 else "dl_dst"] = (
                frame.dst if is_v13 else bytes.fromhex(frame.dst.replace(":", ""))
            )
            self.add_flow(datapath, 10, parser.OFPMatch(**fields), actions)
        datapath.send_msg(
            parser.OFPPacketOut(
                datapath=datapath,
                buffer_id=ofproto.OFP_NO_BUFFER if is_v13 else 0xFFFFFFFF,
                in_port=in_port,
                actions=actions,
                data=message.data,
            )
        )


def main():
    import __main__

    sys.modules["learning_switch"] = __main__
    cfg.CONF(
        [f"--ofp-tcp-listen-port={sys.argv[1]}", "--ofp-listen-host=127.0.0.1"],
        project="os_ken",
    )
    manager = app_manager.AppManager.get_instance()
    manager.load_apps(["os_ken.controller.ofp_handler", "learning_switch"])
    contexts = manager.create_contexts()
    services = manager.instantiate_apps(**contexts)
    print("listening", flush=True)
    hub.joinall(services)


if __name__ == "__main__":
    main()
