"""What the inside host serves: pages by HTTP and HTTPS, and a port where nobody ever speaks."""

import argparse
import http.server
import pathlib
import socketserver
import ssl
import threading
import time

PAGES = {
    "/health": (200, b"everything is fine\n"),
    "/broken": (503, b"everything is fine, they say\n"),
    "/large": (200, b"x" * 300_000 + b"the end\n"),
}


class Pages(http.server.BaseHTTPRequestHandler):
    """One page a request."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        path = self.path.split("?")[0]
        if path == "/hangs":
            time.sleep(3600)
        if path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/login?token=lab-secret-in-a-link")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if path == "/drips":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"drip ")
                time.sleep(0.1)
        status, page = PAGES.get(path, (404, b"no such page\n"))
        self.send_response(status)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """A client that leaves is no trouble."""

    daemon_threads = True

    def handle_error(self, request, client_address):
        pass

    def finish_request(self, request, client_address):
        # The handshake belongs to the client's thread: one that says nothing keeps nobody waiting.
        if isinstance(request, ssl.SSLSocket):
            request.do_handshake()
        super().finish_request(request, client_address)


class Silent(socketserver.BaseRequestHandler):
    """Accepts and says nothing."""

    def handle(self):
        time.sleep(3600)


class SilentServer(socketserver.ThreadingTCPServer):
    """For as many as come."""

    allow_reuse_address = True
    daemon_threads = True


def pages(address, port, certificate=None):
    server = Server((address, port), Pages)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.with_suffix(".pem"), certificate.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--address", required=True)
    parser.add_argument("--certificates", required=True, type=pathlib.Path)
    arguments = parser.parse_args()
    servers = [
        pages(arguments.address, 80),
        pages(arguments.address, 443, arguments.certificates / "inside"),
        pages(arguments.address, 8443, arguments.certificates / "inside-soon"),
        pages(arguments.address, 9443, arguments.certificates / "inside-expired"),
        SilentServer((arguments.address, 7), Silent),
    ]
    threads = [threading.Thread(target=server.serve_forever) for server in servers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
