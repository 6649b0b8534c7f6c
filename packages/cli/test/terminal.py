"""Plays a conversation on a pseudo-terminal: the argument is JSON with `command` and `steps`, each ["expect" | "type", text]."""
import json
import os
import pty
import select
import sys

PATIENCE = 30

plan = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(plan["command"][0], plan["command"])

shown = b""
position = 0


def read_more(patience):
    """False: there is no more."""
    global shown
    ready, _, _ = select.select([terminal], [], [], patience)
    if not ready:
        raise SystemExit(f"nothing for {patience} s, after {shown!r}")
    try:
        data = os.read(terminal, 4096)
    except OSError:
        data = b""
    shown += data
    return data != b""


for kind, text in plan["steps"]:
    wanted = text.encode()
    if kind == "type":
        os.write(terminal, wanted)
        continue
    while wanted not in shown[position:]:
        if not read_more(PATIENCE):
            raise SystemExit(f"it ended before {text!r}: {shown!r}")
    position = shown.index(wanted, position) + len(wanted)

while read_more(PATIENCE):
    pass
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(json.dumps({"shown": shown.decode(errors="replace"), "code": code}))
