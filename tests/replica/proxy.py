"""A CONNECT proxy that connects the replica's host names to the replica and refuses all others."""
import http.server
import select
import socket
import threading

from server import Server

PIECE = 1 << 16


class Handler(http.server.BaseHTTPRequestHandler):
    def do_CONNECT(self):
        proxy = self.server.proxy
        host, _, port = self.path.rpartition(":")
        allowed = port == "443" and proxy.leads(host)
        (proxy.connected if allowed else proxy.refused).append(self.path)
        if not allowed:
            return self.send_error(403, "not one of the replica's hosts")
        with socket.create_connection(("127.0.0.1", proxy.target)) as site:
            self.send_response(200)
            self.end_headers()
            pass_on(self.connection, site)
        self.close_connection = True
        return None

    def do_GET(self):
        self.server.proxy.refused.append(self.path)
        self.send_error(403, "only https, by CONNECT")

    do_POST = do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


def pass_on(client, site):
    """Copies bytes in both directions until one side closes."""
    other = {client: site, site: client}
    while True:
        for ready in select.select([client, site], [], [])[0]:
            piece = ready.recv(PIECE)
            if not piece:
                return
            other[ready].sendall(piece)


class Proxy:
    """Runs on a thread of its own: with Proxy(["tiktok.com"], port) as proxy: proxy.url."""

    def __init__(self, domains, target):
        self.domains, self.target = domains, target
        self.connected, self.refused = [], []  # "host:port", in order
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.proxy = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def leads(self, host):
        return any(host == domain or host.endswith(f".{domain}") for domain in self.domains)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.server.server_close()
