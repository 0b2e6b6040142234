"""A PostgreSQL server for end-to-end tests and benchmarks (the wheel pgserver), on a free loopback port."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

NOBODY = 65534
PASSWORD = "a b'c"


class Server:
    """Runs from start() to stop(). As nobody where the caller is root, which PostgreSQL refuses."""

    def __init__(self, root, *settings):
        # Another user must get at it, and the programs of a wheel are not executable.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="reeltag-pg-"))
        self.folder.chmod(0o755)
        for part in ("pgserver/pginstall/bin", "pgserver/pginstall/lib", "pgserver/pginstall/share", "pgserver.libs"):
            shutil.copytree(pathlib.Path(root) / ".deps" / part, self.folder / part)
        self.programs = self.folder / "pgserver" / "pginstall" / "bin"
        for program in self.programs.iterdir():
            program.chmod(0o755)
        self.data, self.settings, self.process = self.folder / "data", settings, None
        self.passfile = self._secret("pgpass", f"*:*:*:*:{PASSWORD}\n")
        password = self._secret("password", PASSWORD + "\n")
        self.data.mkdir()
        if os.geteuid() == 0:
            for path in (self.data, password):
                os.chown(path, NOBODY, NOBODY)
        subprocess.run([self.programs / "initdb", "-D", self.data, "-U", "tester", "-A", "scram-sha-256", "-E", "UTF8",
                        "--locale=C.UTF-8", "--pwfile", password, "--no-sync"], check=True, capture_output=True, **self._user())
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def _secret(self, name, text):
        path = self.folder / name
        path.touch(0o600)
        path.write_text(text, encoding="utf-8")
        return path

    @staticmethod
    def _user():
        return {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"} if os.geteuid() == 0 else {"cwd": "/"}

    def start(self):
        settings = [word for setting in self.settings for word in ("-c", setting)]
        self.process = subprocess.Popen(
            [self.programs / "postgres", "-D", self.data, "-p", str(self.port), "-c", "listen_addresses=127.0.0.1",
             "-c", "unix_socket_directories=", *settings], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, **self._user())
        for _ in range(600):
            if self.psql("postgres", "SELECT 1").returncode == 0:
                return
            time.sleep(0.05)
        raise RuntimeError("the PostgreSQL server does not answer")

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(60)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database):
        return f"postgresql://tester@127.0.0.1:{self.port}/{database}"

    def environment(self):
        return {"PGPASSFILE": str(self.passfile)}

    def psql(self, database, text):
        return subprocess.run([self.programs / "psql", self.url(database), "-XAtqc", text], capture_output=True, text=True,
                              check=False, env={**os.environ, **self.environment()})
