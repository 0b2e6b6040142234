#!/usr/bin/env python3
"""A stand-in for the sites that reeltag collects from, on loopback: tests/replica/server.py --clips FOLDER [--port N]

  /v2/oauth/token/, /v2/research/video/query/   TikTok's Research API
  /media/ID.mp4                                 the bytes of a post
  (the site itself, over HTTPS: tiktok_site.py)
  /_requests                                    requests so far, as JSON

Prints its address as one line, then serves until stopped. Faults are listed in faults.py.
"""
import argparse
import http.server
import json
import pathlib
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from clips import read_posts  # noqa: E402
from faults import Faults  # noqa: E402
from media import Media  # noqa: E402
from research import ResearchApi  # noqa: E402


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        replica = self.server.replica
        if self.path == "/_requests":
            return self.reply(200, {}, json.dumps(replica.requests).encode(), noted=False)
        if self.path.startswith("/media/"):
            name = self.path.removeprefix("/media/").partition("?")[0].removesuffix(".mp4")
            return self.reply(*replica.media.answer(name, self.headers))
        return self.reply(404, {}, b"{}")

    def do_POST(self):
        replica = self.server.replica
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/v2/oauth/token/":
            return self.reply(*replica.research.token(body))
        if self.path.startswith("/v2/research/video/query/"):
            return self.reply(*replica.research.query(self.path, self.headers.get("Authorization"), body), asked=body)
        return self.reply(404, {}, b"{}")

    def reply(self, status, headers, body, cut=None, asked=b"", noted=True):
        if noted:
            self.server.replica.note(self.command, self.path, status, asked)
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # a client may be killed at any moment
            super().handle_error(request, client_address)


class Replica:
    """Runs the server on a thread of its own: with Replica(folder, ["rate:1"]) as replica: replica.url."""

    def __init__(self, clips, faults=(), port=0, delay=0.0):
        self.posts, self.requests, self.delay = read_posts(clips), [], delay
        given = Faults(faults)
        self.research, self.media = ResearchApi(self.posts, given), Media(self.posts, given)
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", port), Handler)
        self.server.replica = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def note(self, method, path, status, body):
        time.sleep(self.delay)
        with self.lock:
            self.requests.append({"method": method, "path": path, "status": status,
                                  "body": json.loads(body) if body else None})

    def fetched(self):
        """The paths of the bytes served, in order."""
        return [one["path"] for one in self.requests if one["path"].startswith("/media/") and one["status"] in (200, 206)]

    def queries(self):
        return [one for one in self.requests if "/query/" in one["path"]]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self.server.shutdown()
        self.server.server_close()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", required=True, type=pathlib.Path, help="folder of make_clips, or of label folders")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[:NUMBER]", help="see faults.py")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    replica = Replica(options.clips, options.fault, options.port, options.delay)
    print(replica.url, flush=True)
    try:
        replica.server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
