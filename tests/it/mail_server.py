"""A real mail server (aiosmtpd) for one test. Reads its settings as JSON from the first argument, listens on a port of
127.0.0.1, a free one by default, and prints what happens as one JSON object a line: the port, EHLO names, logins, mails."""

import asyncio
import json
import pathlib
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

settings = json.loads(sys.argv[1])


def say(**fact):
    print(json.dumps(fact), flush=True)


class Handler:
    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        say(ehlo=hostname, tls=is_encrypted(session), offers=responses)
        return responses

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in settings["refused"]:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = pathlib.Path(settings.get("answer", "/nonexistent"))
        if answer.exists():
            return answer.read_text()
        text = envelope.content.decode()
        say(mail=text, sender=envelope.mail_from, to=envelope.rcpt_tos, tls=is_encrypted(session))
        return "250 OK"


def is_encrypted(session):
    return settings["tls"] == "tls" or session.ssl is not None


def authenticate(server, session, envelope, mechanism, data):
    user, password = data.login.decode(), data.password.decode()
    accepted = [user, password] == settings.get("login")
    say(login=user, accepted=accepted, tls=is_encrypted(session))
    return AuthResult(success=accepted, handled=False)  # the server says 535 itself


def context():
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(settings["cert"], settings["key"])
    return made


def smtp():
    return SMTP(
        Handler(),
        hostname="mail.test",
        tls_context=context() if settings["tls"] == "starttls" else None,
        authenticator=authenticate,
        auth_required=settings.get("login") is not None and settings["tls"] != "none",
        auth_require_tls=settings["tls"] == "starttls",
    )


async def main():
    loop = asyncio.get_running_loop()
    implicit = context() if settings["tls"] == "tls" else None
    server = await loop.create_server(smtp, "127.0.0.1", settings.get("port", 0), ssl=implicit)
    say(port=server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
