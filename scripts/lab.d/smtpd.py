"""The lab's mail server: aiosmtpd on three ports, one file per delivered mail.

25: plain, STARTTLS offered. 587: STARTTLS and AUTH required. 465: TLS from the first byte, AUTH offered.
In mode `hang` it accepts connections and says nothing. It must run with the distribution's Python.
"""

import argparse
import asyncio
import hmac
import logging
import os
import signal
import ssl
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult


class Store:
    """Writes each mail to a file of its own, complete or not at all."""

    def __init__(self, directory, port):
        self.directory = directory
        self.port = port

    async def handle_DATA(self, server, session, envelope):
        taken = [int(p.stem) for p in self.directory.glob("*.eml")]
        name = f"{max(taken, default=0) + 1:04}.eml"
        tls = session.ssl["cipher"][1] if session.ssl else ("implicit" if self.port == 465 else "none")
        login = session.auth_data if session.authenticated else "none"
        facts = [
            f"X-Lab-From: {envelope.mail_from}",
            f"X-Lab-To: {', '.join(envelope.rcpt_tos)}",
            f"X-Lab-Port: {self.port}",
            f"X-Lab-TLS: {tls}",
            f"X-Lab-Login: {login}",
        ]
        body = "\r\n".join(facts).encode() + b"\r\n" + envelope.original_content
        unfinished = self.directory / f".{name}"
        unfinished.write_bytes(body)
        os.rename(unfinished, self.directory / name)
        logging.info("port %d: %s from %s to %s", self.port, name, envelope.mail_from, envelope.rcpt_tos)
        return f"250 OK {name}"


def authenticator(user, password):
    def check(server, session, envelope, mechanism, data):
        given = (data.login.decode(errors="replace"), data.password.decode(errors="replace"))
        good = hmac.compare_digest(given[0], user) & hmac.compare_digest(given[1], password)
        logging.info("login by %s as %s: %s", mechanism, given[0], "accepted" if good else "rejected")
        return AuthResult(success=bool(good), auth_data=user if good else None, handled=False)

    return check


async def serve(args, tls):
    loop = asyncio.get_running_loop()
    password = Path(args.password_file).read_text().rstrip("\n")
    common = {"hostname": "mail.lab", "authenticator": authenticator(args.user, password)}
    ports = {
        25: ({"tls_context": tls}, None),
        587: ({"tls_context": tls, "require_starttls": True, "auth_required": True}, None),
        465: ({"auth_require_tls": False}, tls),
    }
    for port, (options, implicit) in ports.items():
        store = Store(Path(args.mails), port)
        await loop.create_server(
            lambda store=store, options=options: SMTP(store, **common, **options), args.address, port, ssl=implicit
        )


class Silent(asyncio.Protocol):
    """Accepts, listens, says nothing."""


async def hang(args):
    loop = asyncio.get_running_loop()
    for port in (25, 587, 465):
        await loop.create_server(Silent, args.address, port)


async def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--mode", choices=("serve", "hang"), required=True)
    for name in ("address", "mails", "user", "password-file", "certificate", "key"):
        options.add_argument(f"--{name}", required=True)
    args = options.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    if args.mode == "serve":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(args.certificate, args.key)
        await serve(args, tls)
    else:
        await hang(args)
    logging.info("listening, mode %s", args.mode)
    await ended.wait()


asyncio.run(main())
