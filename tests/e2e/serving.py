"""A running `reeltag serve`, a client of its API and an nginx before it, for the end-to-end tests."""
import contextlib
import http.client
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.parse

from support import PROGRAM, ROOT, environment

NGINX = ROOT / ".deps" / "nginx" / "usr" / "sbin" / "nginx"
NGINX_OUTER = """daemon off;
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
    {locations}
  }}
}}
"""


@contextlib.contextmanager
def nginx_with(locations, port):
    """An nginx with these locations; gives its port."""
    with tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "nginx.conf"
        # nginx's worker gives its rights up for a user that may not read this folder.
        user = "user root;" if os.geteuid() == 0 else ""
        config.write_text(NGINX_OUTER.format(folder=folder, port=port, locations=locations, user=user), encoding="utf-8")
        process = subprocess.Popen([str(word) for word in (NGINX, "-p", folder, "-c", config, "-e", f"{folder}/error.log")],
                                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 20
            while time.monotonic() < until and process.poll() is None:
                with contextlib.suppress(OSError):
                    Client(port).get("/healthz")
                    break
                time.sleep(0.05)
            yield port
        finally:
            process.terminate()
            process.wait(20)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {dict(self.headers)} {self.body[:500]!r}"


class Client:
    """One owner: keeps its cookies, sends its token. Every request has a connection of its own."""

    def __init__(self, port, token=None, host=None, browser=False):
        self.port, self.token, self.host, self.cookies = port, token, host, {}
        if browser:
            self.get("/v1/session")

    def request(self, method, path, body=None, headers=None, timeout=60):
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if self.cookies:
            headers.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
            if "Origin" not in headers:
                headers.setdefault("Sec-Fetch-Site", "same-origin")  # as a browser says of the page's own requests
        if self.host:
            headers.setdefault("Host", self.host)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        connection = self.connect(timeout)
        try:
            connection.request(method, path, body=body, headers=headers)
            answer = connection.getresponse()
            out = Answer(answer.status, answer.headers, answer.read())
        finally:
            connection.close()
        for line in out.headers.get_all("Set-Cookie") or []:
            name, _, rest = line.partition("=")
            value, lifetime = rest.partition(";")[0], rest.partition("Max-Age=")[2]
            if lifetime.partition(";")[0] == "0":
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return out

    def connect(self, timeout):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def post(self, path, body, **more):
        return self.request("POST", path, body=body, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def upload(self, path, name=None, query="", headers=None):
        """A video's bytes as the body; the job's id."""
        file = pathlib.Path(path)
        headers = {"Content-Type": "video/mp4",
                   "Content-Disposition": f"attachment; filename*=UTF-8''{urllib.parse.quote(name or file.name)}", **(headers or {})}
        answer = self.post(f"/v1/videos{query}", file.read_bytes(), headers=headers)
        if answer.status != 202:
            raise AssertionError(f"the upload of {file} was answered {answer}")
        return answer.json()["job"]

    def ended(self, job, seconds=60):
        """The job once it has ended."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            answer = self.get(f"/v1/jobs/{job}")
            if answer.status != 200:
                raise AssertionError(f"job {job} was answered {answer}")
            if answer.json()["state"] not in ("queued", "running"):
                return answer.json()
            time.sleep(0.05)
        raise AssertionError(f"job {job} has not ended after {seconds} s: {answer}")

    def tag(self, path, **more):
        """Uploads a video and waits; its id."""
        job = self.ended(self.upload(path, **more))
        if job["state"] != "done":
            raise AssertionError(f"{path}: {job}")
        return job["video"]


class Server:
    """`reeltag serve` on any port. settings: "key=value" for --set. A context manager; stop() ends it politely."""

    def __init__(self, home, *settings, host="127.0.0.1", model=None, port=0, ready=True, **more):
        self.home, self.log = pathlib.Path(home), tempfile.NamedTemporaryFile("w+", suffix=".log")
        words = [word for setting in settings for word in ("--set", setting)]
        words = [PROGRAM, "--home", home, "--json", *words, "serve", "--host", host, "--port", port]
        if model:
            words += ["--model", model]
        self.process = subprocess.Popen([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, env=environment(**more))
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            raise AssertionError(f"serve ended with status {self.process.returncode}\n{self.errors()}")
        self.url = json.loads(line)["url"]
        self.port = urllib.parse.urlsplit(self.url).port
        if ready:
            self.wait_until_ready()

    def wait_until_ready(self, seconds=60):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.client().get("/readyz").status == 200:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise AssertionError(f"serve is not ready\n{self.errors()}")

    def local_token(self):
        """By which programs of this machine are one owner."""
        return (self.home / "local.token").read_text(encoding="ascii").strip()

    def client(self, **more):
        """A program of this machine, unless `token` (None: nobody) or `browser` says otherwise."""
        if "token" not in more and not more.get("browser"):
            more["token"] = self.local_token()
        return Client(self.port, **more)

    def errors(self):
        return pathlib.Path(self.log.name).read_text(encoding="utf-8")

    def events(self, name):
        """Lines of the log with this event."""
        lines = [json.loads(line) for line in self.errors().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("event") == name]

    def memory(self):
        """Most resident memory so far, in bytes."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=60):
        """SIGTERM; the exit status."""
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGTERM)
        return self.process.wait(timeout=seconds)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.stop()
        self.process.stdout.close()
        self.log.close()
