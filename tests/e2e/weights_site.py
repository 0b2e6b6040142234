"""A server of weights on loopback, with ranges, that can end or stop its answers in the middle."""
import hashlib
import http.server
import threading

ALLOW = ["--set", "http.allow=[127.0.0.1]"]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        site = self.server
        path = self.path.split("?")[0]
        site.seen.append((self.path, self.headers.get("Range")))
        if path not in site.files:
            return self.send_error(404)
        body = site.files[path]
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        first = 0
        if self.headers.get("Range") and self.headers.get("If-Range") == etag:
            first = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if first else 200)
        self.send_header("Content-Type", site.types.get(path, "application/octet-stream"))
        self.send_header("Content-Length", str(len(body) - first))
        self.send_header("ETag", etag)
        if first:
            self.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        part = body[first:] if site.cut is None else body[first:first + site.cut]
        site.sent += len(part)
        self.wfile.write(part)
        self.wfile.flush()
        if site.hold is not None:
            site.hold.wait(60)
        self.close_connection = True

    def log_message(self, *arguments):
        pass


class Site(http.server.ThreadingHTTPServer):
    """files: {path: bytes}, types: {path: content type}. cut: bytes of an answer after which the connection ends; hold:
    an event before which it does not. seen: (path, Range) of each request; sent: bytes of bodies in all."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.types = {}, {}
        self.reset()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *reason):
        self.shutdown()
        self.server_close()

    def url(self, path):
        return f"http://127.0.0.1:{self.server_port}/{path}"

    def reset(self):
        self.seen, self.sent, self.cut, self.hold = [], 0, None, None
