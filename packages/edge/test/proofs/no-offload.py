"""Has an interface finish checksums itself, as `ethtool -K DEVICE tx off` does. Argument: device."""

import array
import fcntl
import socket
import struct
import sys

SIOCETHTOOL, ETHTOOL_STXCSUM = 0x8946, 0x17

with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
    command = array.array("I", [ETHTOOL_STXCSUM, 0])
    address, _ = command.buffer_info()
    fcntl.ioctl(any_socket, SIOCETHTOOL, struct.pack("16sQ16x", sys.argv[1].encode(), address))
