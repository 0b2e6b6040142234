"""What the security tests share: a server with videos, those who attack it, and a proxy that says nothing of them."""
import pathlib
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from s3_server import free_port  # noqa: E402
from serving import Client, Server, nginx_with  # noqa: E402, F401
from support import make_clips  # noqa: E402

VIDEO = {"Content-Type": "video/mp4"}


def plain_proxy(upstream):
    """As people write it on the first day: the port of an nginx whose only line of interest is proxy_pass."""
    return nginx_with(f"location / {{ proxy_pass http://127.0.0.1:{upstream}; }}", free_port())


class LiveTest(unittest.TestCase):
    """Tests against one running server; its clips are a class attribute."""
    settings = ()

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.place = pathlib.Path(folder.name)
        make_clips(cls.place / "clips", set="look", classes=2, clips_per_class=3)
        cls.clips = sorted((cls.place / "clips").rglob("*.mp4"))
        cls.server = Server(cls.place / "home", *cls.settings)
        cls.addClassCleanup(cls.server.__exit__)

    def serve(self, *settings, **more):
        """Another server, for one test."""
        folder = tempfile.TemporaryDirectory(dir=self.place)
        self.addCleanup(folder.cleanup)
        server = Server(pathlib.Path(folder.name) / "home", *settings, **more)
        self.addCleanup(server.__exit__)
        return server
