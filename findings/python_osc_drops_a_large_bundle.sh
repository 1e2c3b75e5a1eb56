#!/usr/bin/env bash
# python-osc: a server drops a bundle of 16 kB whole, and says nothing; OSC over UDP allows 65,507 bytes.
#
# Versions: python-osc 1.10.2, CPython 3.11, Linux, loopback.
# Expected: a bundle that the same library builds and sends in one datagram arrives, or somebody complains. A VMC sender
#   puts all weights of a face into one bundle: 40 bytes each.
# Seen: 200 weights (8,016 bytes) arrive, 400 weights (16,016 bytes) do not: no handler is called, nothing is logged or
#   raised on either side. The server inherits max_packet_size = 8192 from socketserver.UDPServer, which cuts what is
#   longer, and what is cut is no bundle. Setting max_packet_size on the server's class mends it.
# Fails when: the large bundle arrives by default, or does not arrive with the larger limit.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-osc==1.10.2
"$folder/venv/bin/python" - <<'PYTHON'
import threading
import time

from pythonosc.dispatcher import Dispatcher
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder
from pythonosc.osc_server import BlockingOSCUDPServer
from pythonosc.udp_client import SimpleUDPClient

ADDRESS = "/VMC/Ext/Blend/Val"


class Wide(BlockingOSCUDPServer):
    max_packet_size = 65_535


def arrived(kind, weights):
    values = []
    dispatcher = Dispatcher()
    dispatcher.map(ADDRESS, lambda address, *value: values.append(value))
    server = kind(("127.0.0.1", 0), dispatcher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    bundle = OscBundleBuilder(IMMEDIATELY)
    for number in range(weights):
        message = OscMessageBuilder(ADDRESS)
        message.add_arg(f"w{number:03}")
        message.add_arg(0.5)
        bundle.add_content(message.build())
    datagram = bundle.build()
    SimpleUDPClient("127.0.0.1", server.server_address[1]).send(datagram)
    deadline = time.monotonic() + 2.0
    while len(values) < weights and time.monotonic() < deadline:
        time.sleep(0.01)
    server.shutdown()
    print(f"{kind.__name__}: {datagram.size} bytes with {weights} weights sent, {len(values)} arrived")
    return len(values)


found = arrived(BlockingOSCUDPServer, 200), arrived(BlockingOSCUDPServer, 400), arrived(Wide, 400)
raise SystemExit(0 if found == (200, 0, 400) else "the behaviour has changed")
PYTHON
