"""Does what MIPsec does in a pass, as far as it is known (it is no package of Debian): a VICI session, and one call of
swanctl for each tunnel that is down.

    mipsec_like.py SOCKET LIST SWANCTL

The call is `--terminate`, which fails where nothing is up; MIPsec then leaves it at that. Its waits and retries are left
out, and the session is smaller than that of the package `vici`: both are in its favour. Standard library only.
"""

import socket
import struct
import subprocess
import sys

COMMAND, RESPONSE, REGISTER, CONFIRM, EVENT = 0, 1, 3, 5, 7


def read(connection):
    length = struct.unpack("!I", exactly(connection, 4))[0]
    return exactly(connection, length)


def exactly(connection, count):
    parts = b""
    while len(parts) < count:
        part = connection.recv(count - len(parts))
        if not part:
            sys.exit("mipsec_like.py: strongSwan hung up")
        parts += part
    return parts


def send(connection, kind, name):
    packet = bytes([kind, len(name)]) + name
    connection.sendall(struct.pack("!I", len(packet)) + packet)


def section(data, at):
    found = {}
    while at < len(data):
        kind = data[at]
        at += 1
        if kind == 2:
            break
        if kind == 1 or kind == 3 or kind == 4:
            name = data[at + 1:at + 1 + data[at]].decode()
            at += 1 + data[at]
        if kind == 1:
            found[name], at = section(data, at)
        elif kind == 3:
            length = struct.unpack_from("!H", data, at)[0]
            found[name] = data[at + 2:at + 2 + length].decode()
            at += 2 + length
        elif kind == 5:
            at += 2 + struct.unpack_from("!H", data, at)[0]
    return found, at


def installed(path):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    send(connection, REGISTER, b"list-sa")
    if read(connection)[0] != CONFIRM:
        sys.exit("mipsec_like.py: no events")
    send(connection, COMMAND, b"list-sas")
    names = set()
    while True:
        packet = read(connection)
        if packet[0] == RESPONSE:
            return names
        if packet[0] == EVENT:
            sas, _ = section(packet, 2 + packet[1])
            for sa in sas.values():
                for child in sa.get("child-sas", {}).values():
                    if child.get("state") == "INSTALLED":
                        names.add(child["name"])


def main():
    path, tunnels, swanctl = sys.argv[1:]
    with open(tunnels, encoding="utf-8") as file:
        wanted = [line[2:].strip() for line in file if line.startswith("- ")]
    up = installed(path)
    down = [name for name in wanted if name not in up]
    for name in down:
        subprocess.run([swanctl, "--terminate", "--child", name, "--uri", "unix://" + path],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    sys.exit(1 if down else 0)


main()
