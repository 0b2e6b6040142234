"""What the security tests share: a server with videos, those who attack it, and a proxy that says nothing of them."""
import contextlib
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from s3_server import free_port  # noqa: E402
from serving import Client, Server  # noqa: E402
from support import ROOT, make_clips  # noqa: E402

NGINX = ROOT / ".deps" / "nginx" / "usr" / "sbin" / "nginx"
VIDEO = {"Content-Type": "video/mp4"}
# As people write it on the first day.
PLAIN_PROXY = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port};
    client_max_body_size 0;
    location / {{ proxy_pass http://127.0.0.1:{upstream}; }}
  }}
}}
"""


@contextlib.contextmanager
def plain_proxy(upstream):
    """The port of an nginx whose only line of interest is proxy_pass."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "nginx.conf"
        # nginx's worker gives its rights up for a user that may not read this folder.
        config.write_text(PLAIN_PROXY.format(folder=folder, port=port, upstream=upstream, user="user root;"), encoding="utf-8")
        process = subprocess.Popen([str(word) for word in (NGINX, "-p", folder, "-c", config, "-e", f"{folder}/error.log")],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until:
                with contextlib.suppress(OSError):
                    Client(port).get("/healthz")
                    break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait(20)


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
