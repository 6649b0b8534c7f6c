"""Sends frames that no decent station sends: garbage, LAND, a SYN flood. Arguments: device, kind, our MAC, our address, port, count."""

import random
import socket
import struct
import sys

device, kind, mac, address, port, count = sys.argv[1:]
port, count = int(port), int(count)
to_mac = bytes.fromhex(mac.replace(":", ""))
from_mac = bytes.fromhex("020000000099")
to_address = socket.inet_aton(address)
chance = random.Random(1)


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def syn(from_address, from_port):
    """A whole frame, with right checksums (RFC 791, section 3.1; RFC 9293, section 3.1)."""
    tcp = struct.pack("!HHIIBBHHH", from_port, port, chance.getrandbits(32), 0, 0x50, 2, 65535, 0, 0)
    pseudo = from_address + to_address + struct.pack("!BBH", 0, 6, len(tcp))
    tcp = tcp[:16] + struct.pack("!H", checksum(pseudo + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + from_address + to_address
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return to_mac + from_mac + b"\x08\x00" + ip + tcp


def garbage():
    """Noise: bare, or behind a good Ethernet header, or as a frame that was good until some bytes of it were changed."""
    if (choice := chance.randrange(3)) == 0:
        return chance.randbytes(chance.randrange(14, 1514))
    if choice == 1:
        ether_type = chance.choice([b"\x08\x00", b"\x86\xdd", b"\x08\x06", b"\x81\x00"])
        return to_mac + from_mac + ether_type + chance.randbytes(chance.randrange(0, 1500))
    frame = bytearray(syn(b"\x0a\x50\x01\x01", 1024))
    for _ in range(chance.randrange(1, 4)):
        frame[chance.randrange(12, len(frame))] = chance.randrange(256)
    return bytes(frame)


def frame(number):
    if kind == "garbage":
        return garbage()
    if kind == "land":
        return syn(to_address, port)
    # 10.80.1.0 and up: stations of the same network that are not there.
    return syn(struct.pack("!BBH", 10, 80, 256 + number % 60000), 1024 + number % 60000)


with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as link:
    link.bind((device, 0))
    for number in range(count):
        link.send(frame(number))
        if number % 500 == 0:
            print(number, flush=True)
print("done", flush=True)
