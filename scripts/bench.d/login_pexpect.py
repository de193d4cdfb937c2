"""The same dialogue by Python's pexpect, as a script of the field's tools does it.

    login_pexpect.py CLIENT STAMPS COUNT [none]   one JSON object a login; `none`: delaybeforesend=None
    login_pexpect.py CLIENT STAMPS hang           until the prompt that nobody knows, then waits for it
"""

import json
import os
import sys
import time

import pexpect

PROMPTS = [
    (r"Fingerprint: SHA1\[[0-9A-F:]+\].*?Do you want to accept this certificate", "YES"),
    (r"Username:", "probe"),
    (r"Password:", "bench-password"),
    (r"Enter your choice \[1\]:", "1"),
]
CONNECTED = r"\nConnected\r\n"
PATTERNS = [pattern for pattern, _ in PROMPTS] + [CONNECTED, r"\nDisconnected"]
# More than the wait that scripts/bench measures.
PATIENCE = 600


def log_in(client, stamps, delay):
    environment = dict(os.environ, BENCH_STAMPS=stamps)
    child = pexpect.spawn(client, env=environment, timeout=PATIENCE)
    spawned = time.monotonic_ns()
    if delay == "none":
        child.delaybeforesend = None
    while True:
        which = child.expect(PATTERNS)
        heard = time.monotonic_ns()
        if which >= len(PROMPTS):
            break
        child.sendline(PROMPTS[which][1])
    if PATTERNS[which] != CONNECTED:
        sys.exit("login_pexpect.py: the login failed")
    child.sendline("quit")
    child.expect(pexpect.EOF)
    child.close()
    return {"stamps": stamps, "spawned_ns": spawned, "heard_ns": heard}


def main():
    client, stamps, count = sys.argv[1:4]
    delay = sys.argv[4] if len(sys.argv) > 4 else "default"
    if count == "hang":
        log_in(client, stamps, delay)
        return
    for number in range(int(count)):
        result = log_in(client, os.path.join(stamps, f"pexpect-{delay}-{number}"), delay)
        print(json.dumps(result), flush=True)


main()
