#!/usr/bin/env python3
"""A stand-in for www.tiktok.com and its CDN over HTTPS, on loopback: tests/replica/tiktok_site.py --clips FOLDER

Host names are the real ones; they are reached through a CONNECT proxy that refuses all others. Prints one line of JSON,
{"proxy","certificate"}, then serves until stopped. Faults are listed in faults.py.
"""
import argparse
import http.server
import json
import pathlib
import re
import shutil
import ssl
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from certificate import make_certificate  # noqa: E402
from clips import read_posts  # noqa: E402
from faults import Faults  # noqa: E402
from media import Media  # noqa: E402
from profile import Profiles  # noqa: E402
from proxy import Proxy  # noqa: E402
from server import Server  # noqa: E402
from tiktok import CDN, JSON, TikTok, signature  # noqa: E402

DOMAINS = ("tiktok.com", "tiktokcdn.com")
CHAIN = "tt_chain_token=Zm9yIHRoZSByZXBsaWNh; Domain=.tiktok.com; Path=/; Secure; HttpOnly; SameSite=None"
REFUSED = b"<html><head><title>403 Forbidden</title></head><body><h1>Access Denied</h1></body></html>"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        site, path = self.server.site, urllib.parse.urlsplit(self.path).path
        if self.headers.get("Host") == CDN:
            return self.reply(*site.bytes_of(self.path, self.headers))
        if path.startswith("/api/challenge/detail/"):
            return self.reply(*site.tiktok.challenge(self.path))
        if path.startswith("/api/challenge/item_list/"):
            return self.reply(*site.tiktok.item_list(self.path))
        if path.startswith("/api/creator/item_list/"):
            return self.reply(*site.profiles.videos(self.path))
        if path == "/api/token/":
            return self.reply(200, {**JSON, "Set-Cookie": site.tiktok.token()}, b"{}")
        if path.startswith("/api/") or path == "/favicon.ico":
            return self.reply(200, JSON, b"{}")
        if video := re.fullmatch(r"/@[\w.]*/(?:video|photo)/(\d+)/?", path):
            return self.reply(*site.tiktok.video_page(video[1]))
        if profile := re.fullmatch(r"/@([\w.]+)/?", path):
            return self.reply(*site.profiles.page(profile[1]))
        return self.reply(*site.tiktok.start())

    def reply(self, status, headers, body, cut=None):
        self.server.site.note(self.headers.get("Host"), self.path, status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if headers.get("Content-Type", "").startswith("text/html"):
            self.send_header("Set-Cookie", CHAIN)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if cut is None else body[:cut])
        if cut is not None:
            self.close_connection = True

    def log_message(self, *arguments):
        pass


class Secure(Server):
    """Does the handshake on the thread of the connection, so that a silent client delays no other."""

    def __init__(self, certificate, key):
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ssl.SSLError):
            super().handle_error(request, client_address)


class Site:
    """Runs the server and its proxy on threads of their own: with Site(folder, ["empty:2"]) as site: site.proxy."""

    def __init__(self, clips, faults=(), delay=0.0):
        self.posts, self.requests, self.delay = read_posts(clips), [], delay
        given = Faults(faults)
        self.tiktok, self.media = TikTok(self.posts, given), Media(self.posts, given)
        self.profiles = Profiles(self.tiktok)
        self.lock = threading.Lock()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="replica-"))
        self.certificate, key = make_certificate(self.folder, [*DOMAINS, *(f"*.{domain}" for domain in DOMAINS)])
        self.server = Secure(self.certificate, key)
        self.server.site = self
        self.tunnel = Proxy(DOMAINS, self.server.server_port)
        self.proxy = self.tunnel.url

    def bytes_of(self, path, headers):
        """Serves bytes like the CDN: to visitors of the site, while the link is valid."""
        place, query = urllib.parse.urlsplit(path), dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(path).query))
        identity, end = pathlib.PurePosixPath(place.path).stem, query.get("expire", "0")
        good = (query.get("signature") == signature(identity, end) and int(end) > time.time()
                and headers.get("Referer", "").startswith("https://www.tiktok.com/")
                and "tt_chain_token=" in headers.get("Cookie", ""))
        if not good:
            return 403, {"Content-Type": "text/html"}, REFUSED
        return self.media.answer(identity, headers)

    def note(self, host, path, status):
        time.sleep(self.delay)
        with self.lock:
            self.requests.append({"host": host, "path": path, "status": status})

    def fetched(self):
        """The ids of the posts whose bytes were served, in order."""
        return [pathlib.PurePosixPath(urllib.parse.urlsplit(one["path"]).path).stem for one in self.requests
                if one["host"] == CDN and one["status"] in (200, 206)]

    def queries(self):
        return [one for one in self.requests if "/challenge/item_list/" in one["path"]]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        self.tunnel.__enter__()
        return self

    def __exit__(self, *exception):
        self.tunnel.__exit__(*exception)
        self.server.shutdown()
        self.server.server_close()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", required=True, type=pathlib.Path, help="folder of make_clips, or of label folders")
    parser.add_argument("--fault", action="append", default=[], metavar="NAME[:NUMBER]", help="see faults.py")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    options = parser.parse_args()
    with Site(options.clips, options.fault, options.delay) as site:
        print(json.dumps({"proxy": site.proxy, "certificate": str(site.certificate)}), flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
