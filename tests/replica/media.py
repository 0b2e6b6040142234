"""Serves the bytes of posts like a content delivery network: ranges, entity tags, expiring links."""
import hashlib
import re

from faults import CHALLENGE, PAGE


class Media:
    """Answers are (status, headers, body, bytes after which the connection breaks or None)."""

    def __init__(self, posts, faults):
        self.posts, self.faults = {str(post.id): post for post in posts}, faults

    def answer(self, name, headers):
        post = self.posts.get(name)
        if post is None or self.faults.at("deleted", post.number):
            return 404, {}, b"gone", None
        if self.faults.at("private", post.number):
            return 401, {}, b"log in", None
        if self.faults.at("expired", post.number):
            return 403, {"Content-Type": "text/html"}, b"<html><body>URL signature expired</body></html>", None
        if self.faults.once("busy", post.number):
            return 503, {}, b"busy", None
        for fault, kind, body in (("html", "video/mp4", PAGE), ("page", "text/html", PAGE),
                                  ("challenge-media", "text/html", CHALLENGE)):
            if self.faults.at(fault, post.number):
                return 200, {"Content-Type": kind}, body, None
        body = post.path.read_bytes()
        if self.faults.at("cut", post.number):
            body = body[:len(body) // 2]
        cut = len(body) // 2 if self.faults.once("break", post.number) else None
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        facts = {"Content-Type": "video/mp4", "ETag": tag, "Accept-Ranges": "bytes"}
        wanted = re.fullmatch(r"bytes=(\d+)-", headers.get("Range", ""))
        if wanted and headers.get("If-Range", tag) == tag and int(wanted[1]) < len(body):
            begin = int(wanted[1])
            facts["Content-Range"] = f"bytes {begin}-{len(body) - 1}/{len(body)}"
            return 206, facts, body[begin:], cut
        return 200, facts, body, cut
