"""deploy/sagemaker against a server of the service's API, and what can be known of the container without building it."""
import json
import pathlib
import re
import subprocess
import time
import unittest

import support
from s3_server import KEYS, free_port

PYTHON = support.ROOT / ".deps" / "venv" / "bin" / "python"
DEPLOY = support.ROOT / "deploy" / "sagemaker" / "deploy.py"
DOCKERFILE = support.ROOT / "deploy" / "container" / "Dockerfile"
IMAGE = ["--image", "123456789012.dkr.ecr.eu-central-1.amazonaws.com/reeltag:1",
         "--role", "arn:aws:iam::123456789012:role/reeltag"]
TRAIN = ["train", "--name", "cats", *IMAGE, "--train", "s3://b/train", "--validation", "s3://b/val", "--output", "s3://b/out",
         "--hyperparameter", "epochs=3", "--hyperparameter", "labels=single", "--spot", "--instances", "2"]
MODEL = ["model", "--name", "cats", *IMAGE, "--model-data", "s3://b/out/cats/output/model.tar.gz"]
TRANSFORM = ["transform", "--name", "cats-1", "--model", "cats", "--input", "s3://b/new/", "--output", "s3://b/tags/"]
# What the server has, told by boto3.
DESCRIBE = """
import boto3, json, sys
client = boto3.client("sagemaker", endpoint_url=sys.argv[1])
print(json.dumps(getattr(client, sys.argv[2])(**json.loads(sys.argv[3])), default=str))
"""


def call(command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=False,
                          env=support.environment(AWS_DEFAULT_REGION="eu-central-1", NO_PROXY="127.0.0.1", **KEYS))


class Deploy(support.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.url = f"http://127.0.0.1:{free_port()}"
        server = subprocess.Popen([str(PYTHON), "-m", "moto.server", "-H", "127.0.0.1", "-p", cls.url.rsplit(":", 1)[1]],
                                  stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cls.addClassCleanup(server.wait)
        cls.addClassCleanup(server.kill)
        end = time.monotonic() + 60
        while call([PYTHON, "-c", DESCRIBE, cls.url, "list_models", "{}"]).returncode:
            if time.monotonic() > end or server.poll() is not None:
                raise RuntimeError("moto does not start: run tools/setup.sh tests")
            time.sleep(0.2)

    def deploy(self, *words):
        done = call([PYTHON, DEPLOY, *words, "--endpoint-url", self.url])
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def describe(self, operation, **request):
        done = call([PYTHON, "-c", DESCRIBE, self.url, operation, json.dumps(request)])
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_a_training_job(self):
        self.assertIn("training-job/cats", self.deploy(*TRAIN))
        job = self.describe("describe_training_job", TrainingJobName="cats")
        self.assertEqual(job["HyperParameters"], {"epochs": "3", "labels": "single"})
        self.assertEqual([one["ChannelName"] for one in job["InputDataConfig"]], ["train", "validation"])
        self.assertEqual(job["ResourceConfig"]["InstanceCount"], 2)
        self.assertEqual(job["CheckpointConfig"]["S3Uri"], "s3://b/out/cats/checkpoints")

    def test_metrics_are_found_in_what_a_job_prints(self):
        (line,) = self.deploy(*TRAIN, "--dry-run").splitlines()
        definitions = {one["Name"]: one["Regex"] for one in
                       json.loads(line)["request"]["AlgorithmSpecification"]["MetricDefinitions"]}
        printed = "epoch=3 clips=60 lr=1e-05 train_loss=0.6931 val_gap20=0.5 val_map=4.1e-01"
        self.assertEqual(re.search(definitions["val_map"], printed)[1], "4.1e-01")
        self.assertEqual(re.search(definitions["train_loss"], printed)[1], "0.6931")
        self.assertIsNone(re.search(definitions["test_map"], printed))

    def test_a_model_and_its_endpoints(self):
        self.deploy(*MODEL, "--environment", "SAGEMAKER_MODEL_SERVER_TIMEOUT=3600")
        container = self.describe("describe_model", ModelName="cats")["PrimaryContainer"]
        self.assertEqual(container["Environment"], {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "3600"})
        self.deploy("endpoint", "--name", "cats")
        self.assertEqual(self.describe("describe_endpoint", EndpointName="cats")["EndpointConfigName"], "cats")
        self.deploy("endpoint", "--name", "cats-later", "--model", "cats", "--async-output", "s3://b/answers")
        config = self.describe("describe_endpoint_config", EndpointConfigName="cats-later")
        self.assertEqual(config["ProductionVariants"][0]["ModelName"], "cats")
        self.assertEqual(config["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"], "s3://b/answers")

    def test_a_batch_transform(self):
        self.deploy(*TRANSFORM)
        job = self.describe("describe_transform_job", TransformJobName="cats-1")
        self.assertEqual(job["TransformInput"]["ContentType"], "video/mp4")
        self.assertLessEqual(job["MaxConcurrentTransforms"] * job["MaxPayloadInMB"], 100)

    def test_a_dry_run_sends_nothing(self):
        lines = call([PYTHON, DEPLOY, "endpoint", "--name", "dry", "--dry-run", "--endpoint-url", "http://127.0.0.1:9"])
        operations = [json.loads(line)["operation"] for line in lines.stdout.splitlines()]
        self.assertEqual((lines.returncode, operations), (0, ["create_endpoint_config", "create_endpoint"]))
        (line,) = self.deploy(*TRANSFORM, "--lines", "--dry-run").splitlines()
        request = json.loads(line)["request"]
        self.assertEqual((request["BatchStrategy"], request["TransformOutput"]["AssembleWith"]), ("MultiRecord", "Line"))

    def test_what_the_service_would_refuse_is_said_before(self):
        for words, part in (([*TRAIN, "--max-seconds", "0"], "MaxRuntimeInSeconds"),
                            (["model", "--name", "cats", "--image", "i", "--role", "short", "--model-data", "s3://b/m"],
                             "ExecutionRoleArn")):
            with self.subTest(part=part):
                done = call([PYTHON, DEPLOY, *words, "--endpoint-url", "http://127.0.0.1:9"])
                self.assertEqual(done.returncode, 2)
                self.assertIn(part, done.stderr)
        self.assertEqual(call([PYTHON, DEPLOY, "model", "--name", "cats"]).returncode, 2)


class Container(unittest.TestCase):
    """It is built where Docker is; here what it is made of."""

    @classmethod
    def setUpClass(cls):
        cls.text = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ")
        cls.last = cls.text.rsplit("\nFROM ", 1)[1]

    def test_the_entry_point_is_a_program_in_exec_form(self):
        (entry,) = re.findall(r"(?m)^ENTRYPOINT (.*)$", self.last)
        (program,) = json.loads(entry)
        self.assertEqual(pathlib.Path(program).name, "reeltag-sagemaker")
        self.assertEqual(pathlib.Path(program).parent.relative_to("/reeltag"), pathlib.Path("build/release"))
        self.assertIn("ln -s reeltag build/release/reeltag-sagemaker", self.last)

    def test_what_is_copied_is_there(self):
        for sources in re.findall(r"(?m)^COPY ((?!--from)[^\n]+) \S+$", self.last):
            for source in sources.split():
                self.assertTrue((support.ROOT / source).exists(), source)

    def test_the_libraries_of_the_programs_are_installed(self):
        installed = set(re.search(r"apt-get install -y --no-install-recommends ([^&]*)", self.last)[1].split())
        for program in (support.PROGRAM, support.PROGRAM.with_name("reeltag-torch")):
            headers = subprocess.run(["readelf", "-d", program], capture_output=True, text=True, check=True).stdout
            for library in re.findall(r"\(NEEDED\).*\[(.*)\]", headers):
                path = pathlib.Path("/usr/lib/x86_64-linux-gnu") / library
                if not path.exists():
                    continue  # of the wheels in .deps, which are copied
                owner = subprocess.run(["dpkg", "-S", f"*/x86_64-linux-gnu/{library}"], capture_output=True, text=True, check=True).stdout
                self.assertIn(owner.split(":")[0], installed | {"libc6", "libgcc-s1"}, library)

    def test_the_link_of_the_build_leads_to_the_program(self):
        link = support.PROGRAM.with_name("reeltag-sagemaker")
        self.assertEqual(link.resolve(), support.PROGRAM.resolve())
        self.assertEqual(link.readlink(), pathlib.Path("reeltag"))
        done = subprocess.run([str(link), "--help"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0)
        for word in ("serve", "train"):
            self.assertIn(word, done.stdout)
        self.assertEqual(subprocess.run([str(link), "tag"], capture_output=True, check=False).returncode, 2)


if __name__ == "__main__":
    unittest.main()
