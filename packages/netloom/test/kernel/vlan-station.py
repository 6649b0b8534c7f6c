"""A station that speaks with a VLAN tag, and needs no VLAN support of the kernel: answers ARP and ping for one address. Arguments: device,
VLAN, our address. Prints the tag of each frame it answers."""

import socket
import struct
import sys

device, vlan, address = sys.argv[1], int(sys.argv[2]), socket.inet_aton(sys.argv[3])
MAC = bytes.fromhex("020000000077")
SOL_PACKET, PACKET_AUXDATA = 263, 8
# The tag is not in the frame any more (packet(7)): status says whether there was one, and what it was is behind two lengths and two offsets.
AUXDATA = "=IIIHHHH"
TAG_VALID = 1 << 4


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def answer(frame):
    """What the frame is answered with, without Ethernet header; None: nothing."""
    kind, payload = frame[12:14], frame[14:]
    if kind == b"\x08\x06" and payload[6:8] == b"\0\x01" and payload[24:28] == address:
        return payload[:6] + b"\0\x02" + MAC + address + payload[8:18]
    if kind == b"\x08\x00" and payload[9] == 1 and payload[16:20] == address and payload[20] == 8:
        length = struct.unpack("!H", payload[2:4])[0]
        echo = b"\0\0\0\0" + payload[24:length]
        echo = echo[:2] + struct.pack("!H", checksum(echo)) + echo[4:]
        return payload[:12] + address + payload[12:16] + echo
    return None


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as link:
    link.bind((device, 3))
    link.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    print("ready", flush=True)
    while True:
        frame, messages, _, _ = link.recvmsg(65536, 256)
        tag = -1
        for level, kind, data in messages:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, _, _, _, _, control, _ = struct.unpack(AUXDATA, data)
                tag = control if status & TAG_VALID else -1
        if frame[6:12] == MAC or (reply := answer(frame)) is None:
            continue
        print(f"{frame[12:14].hex()} {tag}", flush=True)
        link.send(frame[6:12] + MAC + struct.pack("!HH", 0x8100, vlan) + frame[12:14] + reply)
