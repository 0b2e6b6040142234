"""A SageMaker container without the container: a folder in the place of /opt/ml, the program behind its entry point, and
requests with the headers that the platform lets through to it."""
import http.client
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

import support
from s3_server import free_port

ENTRY = support.PROGRAM.with_name("reeltag-sagemaker")
MODELS = support.ROOT / "models"


class Answer:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def text(self):
        return self.body.decode("utf-8")

    def json(self):
        return json.loads(self.body)

    def json_lines(self):
        return [json.loads(line) for line in self.text.splitlines()]


class Serving:
    """`reeltag-sagemaker serve` with this model (a bundle's folder, or nothing below /opt/ml/model)."""

    def __init__(self, model="starter", arguments=(), wait=True, **environment):
        self.opt_ml = pathlib.Path(tempfile.mkdtemp(prefix="reeltag-opt-ml-"))
        if model:
            shutil.copytree(MODELS / model if isinstance(model, str) else model, self.opt_ml / "model")
        else:
            (self.opt_ml / "model").mkdir()
        self.arguments, self.environment, self.wait = arguments, environment, wait

    def __enter__(self):
        self.port = free_port()
        self.errors = tempfile.TemporaryFile("w+", encoding="utf-8")
        command = [ENTRY, "serve", "--opt-ml", self.opt_ml, "--json", *self.arguments]
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors,
            env=support.environment(SAGEMAKER_BIND_TO_PORT=str(self.port), **self.environment))
        if self.wait:
            self.wait_until_healthy()
        return self

    def __exit__(self, *reason):
        self.process.kill()
        self.process.wait()
        self.errors.close()
        shutil.rmtree(self.opt_ml, ignore_errors=True)

    def log(self):
        self.errors.seek(0)
        return self.errors.read()

    def ping(self):
        """The status; 0 where nothing listens."""
        try:
            return self.request("GET", "/ping", timeout=2).status
        except OSError:
            return 0

    def wait_until_healthy(self, seconds=240):
        """The platform gives a container four minutes."""
        statuses = [self.ping()]
        end = time.monotonic() + seconds
        while statuses[-1] != 200:
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"never healthy: {statuses[-5:]}\n{self.log()}")
            time.sleep(0.02)
            statuses.append(self.ping())
        return statuses

    def request(self, method, path, body=None, headers=None, timeout=60):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, body, headers or {})
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def invoke(self, body, content_type=None, accept=None, **more):
        """What InvokeEndpoint(Body, ContentType, Accept, CustomAttributes, InferenceId) becomes."""
        headers = {"Content-Type": content_type, "Accept": accept,
                   "X-Amzn-SageMaker-Custom-Attributes": more.get("custom_attributes"),
                   "X-Amzn-SageMaker-Inference-Id": more.get("inference_id"),
                   "X-Amzn-SageMaker-Target-Variant": "AllTraffic", **more.get("headers", {})}
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        return self.request("POST", "/invocations", body, {k: v for k, v in headers.items() if v is not None},
                            timeout=more.get("timeout", 60))

    def terminate(self):
        """SIGTERM; the status and the seconds that it took, of the 30 that the platform gives."""
        begin = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30), time.monotonic() - begin
