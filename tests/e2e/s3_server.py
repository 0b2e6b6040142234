"""An S3 server that checks signatures (versitygw) on loopback with a folder of its own, and a line to it that breaks."""
import pathlib
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time

import support

VERSITYGW = support.ROOT / ".deps" / "bin" / "versitygw"
KEYS = {"AWS_ACCESS_KEY_ID": "testkey", "AWS_SECRET_ACCESS_KEY": "testsecret123", "AWS_EC2_METADATA_DISABLED": "true"}


def free_port():
    """Below the ports that Linux gives to connections by itself (32768 and up), which other tests make by the thousand."""
    while True:
        port = random.randint(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
                return port
            except OSError:
                pass


class S3Server:
    """Objects are files below folder / bucket."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="reeltag-s3-"))
        self.process = None

    def __enter__(self):
        for _ in range(5):
            self.port = free_port()
            if self.start():
                return self
        raise RuntimeError("versitygw does not start: run tools/setup.sh tests")

    def start(self):
        command = [VERSITYGW, "--access", KEYS["AWS_ACCESS_KEY_ID"], "--secret", KEYS["AWS_SECRET_ACCESS_KEY"],
                   "--port", f"127.0.0.1:{self.port}", "posix", "--disableotmp", self.folder]
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if self.answers():
            return True
        self.stop()
        return False

    def answers(self):
        end = time.monotonic() + 30
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            except OSError:
                time.sleep(0.05)
        return False

    def stop(self):
        self.process.kill()
        self.process.wait()

    def __exit__(self, *reason):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def bucket(self, name):
        (self.folder / name).mkdir()
        return self.folder / name

    def url(self, place, port=None):
        return f"s3://{place}?region=us-east-1&scheme=http&endpoint_override=127.0.0.1:{port or self.port}"


class Line:
    """Passes bytes to a port of this machine until so many have gone there; then it is dead."""

    def __init__(self, port, room):
        self.to, self.room = port, room
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *reason):
        self.listener.close()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.to))
            threading.Thread(target=self.carry, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.carry, args=(server, client, False), daemon=True).start()

    def carry(self, one, other, counted):
        try:
            while part := one.recv(1 << 16):
                self.room -= len(part) if counted else 0
                if self.room <= 0:
                    break
                other.sendall(part)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            if counted:
                end.close()
