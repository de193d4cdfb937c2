"""Greets whoever connects, at any address."""

import socketserver
import sys


class Greeting(socketserver.BaseRequestHandler):
    """One line, and good-bye."""

    def handle(self):
        self.request.sendall(b"inside\n")


class Server(socketserver.ThreadingTCPServer):
    """For as many as come at once."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 300


Server(("0.0.0.0", int(sys.argv[1])), Greeting).serve_forever()
