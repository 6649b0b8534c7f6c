"""Sends frames of a kind that nobody answers (IEEE 802, local experimental EtherType 1). Arguments: device, then `burst TO VLAN COUNT`, with VLAN 0 for no tag,
or `flood TO...`, which sends long frames to all of these in turn until it is killed. Prints `sent` after a burst."""

import socket
import struct
import sys
import time

device, kind, *words = sys.argv[1:]
FROM = bytes.fromhex("020000000097")
EXPERIMENTAL = b"\x88\xb5"


def frame(to, vlan, length):
    tag = struct.pack("!HH", 0x8100, vlan) if vlan else b""
    head = bytes.fromhex(to.replace(":", "")) + FROM + tag + EXPERIMENTAL
    return head + bytes(length - len(head))


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
    link.bind((device, 0))
    if kind == "burst":
        to, vlan, count = words
        for _ in range(int(count)):
            link.send(frame(to, int(vlan), 64))
        print("sent", flush=True)
    while kind == "flood":
        for to in words:
            for _ in range(10):
                link.send(frame(to, 0, 1514))
        # 24 Mbit/s to each, if the machine is not busy.
        time.sleep(0.005)
