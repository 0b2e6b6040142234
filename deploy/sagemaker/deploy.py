#!/usr/bin/env python3
"""Trains, deploys and batch-transforms with reeltag on SageMaker, by boto3.

    deploy.py train      --name cats --image URI --role ARN --train s3://bucket/clips --output s3://bucket/models
    deploy.py model      --name cats --image URI --role ARN --model-data s3://bucket/models/cats/output/model.tar.gz
    deploy.py endpoint   --name cats                        # real time; with --async-output s3://... asynchronous
    deploy.py transform  --name cats-1 --model cats --input s3://bucket/new/ --output s3://bucket/tags/

--dry-run checks the requests against the service's description and prints them, one JSON object a line, without sending
any. Region and credentials are those of boto3. Exit status: 0 done, 1 refused by the service, 2 wrong usage.
"""
import argparse
import json
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from botocore.validate import ParamValidator

METRICS = ("train_loss", "val_loss", "val_map", "val_gap20", "val_top1", "test_map", "test_gap20", "test_top1")
NUMBER = "([0-9.eE+-]+)"
ASYNC_SECONDS = 3600  # the longest that an asynchronous request may take
BATCH_SECONDS = 600


def pair(text):
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise argparse.ArgumentTypeError(f"want NAME=VALUE, not {text}")
    return name, value


def channel(name, uri, mode):
    return {"ChannelName": name, "InputMode": mode,
            "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": uri,
                                            "S3DataDistributionType": "FullyReplicated"}}}


def train(o):
    channels = [channel(name, uri, o.mode) for name, uri in
                (("train", o.train), ("validation", o.validation), ("test", o.test)) if uri]
    channels += [channel(name, uri, "File") for name, uri in o.channel]
    stopping = {"MaxRuntimeInSeconds": o.max_seconds}
    request = {
        "TrainingJobName": o.name, "RoleArn": o.role, "HyperParameters": dict(o.hyperparameter),
        "AlgorithmSpecification": {
            "TrainingImage": o.image, "TrainingInputMode": o.mode,
            "MetricDefinitions": [{"Name": name, "Regex": rf"\b{name}={NUMBER}"} for name in METRICS]},
        "InputDataConfig": channels, "OutputDataConfig": {"S3OutputPath": o.output},
        "ResourceConfig": {"InstanceType": o.instance, "InstanceCount": o.instances, "VolumeSizeInGB": o.volume_gb},
        "StoppingCondition": stopping,
        "CheckpointConfig": {"S3Uri": o.checkpoints or f"{o.output.rstrip('/')}/{o.name}/checkpoints"}}
    if o.spot:
        request["EnableManagedSpotTraining"] = True
        stopping["MaxWaitTimeInSeconds"] = 2 * o.max_seconds
    return [("create_training_job", request)]


def model(o):
    return [("create_model", {"ModelName": o.name, "ExecutionRoleArn": o.role, "PrimaryContainer": {
        "Image": o.image, "ModelDataUrl": o.model_data, "Environment": dict(o.environment)}})]


def endpoint(o):
    variant = {"VariantName": "AllTraffic", "ModelName": o.model or o.name, "InstanceType": o.instance,
               "InitialInstanceCount": o.instances, "ContainerStartupHealthCheckTimeoutInSeconds": 600}
    config = {"EndpointConfigName": o.name, "ProductionVariants": [variant]}
    if o.async_output:
        config["AsyncInferenceConfig"] = {"OutputConfig": {"S3OutputPath": o.async_output},
                                          "ClientConfig": {"MaxConcurrentInvocationsPerInstance": o.at_once}}
    return [("create_endpoint_config", config), ("create_endpoint", {"EndpointName": o.name, "EndpointConfigName": o.name})]


def transform(o):
    content = "application/jsonlines" if o.lines else "video/mp4"
    return [("create_transform_job", {
        "TransformJobName": o.name, "ModelName": o.model or o.name,
        "BatchStrategy": "MultiRecord" if o.lines else "SingleRecord",
        "MaxConcurrentTransforms": o.at_once, "MaxPayloadInMB": 100 // o.at_once,
        "ModelClientConfig": {"InvocationsTimeoutInSeconds": BATCH_SECONDS, "InvocationsMaxRetries": 2},
        "Environment": {"SAGEMAKER_MODEL_SERVER_TIMEOUT": str(BATCH_SECONDS)},
        "TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": o.input}},
                           "ContentType": content, "SplitType": "Line" if o.lines else "None"},
        "TransformOutput": {"S3OutputPath": o.output, "AssembleWith": "Line" if o.lines else "None",
                            "Accept": "application/jsonlines" if o.lines else "application/json"},
        "TransformResources": {"InstanceType": o.instance, "InstanceCount": o.instances}})]


def add_instances(parser, kind):
    parser.add_argument("--instance", default=kind, metavar="TYPE", help="default: %(default)s")
    parser.add_argument("--instances", type=int, default=1, metavar="N")


def parse(words):
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--name", required=True, help="of the job, model or endpoint")
    shared.add_argument("--region")
    shared.add_argument("--endpoint-url", help="another service of the same API")
    shared.add_argument("--dry-run", action="store_true", help="check and print the requests, send nothing")
    image = argparse.ArgumentParser(add_help=False)
    image.add_argument("--image", required=True, help="URI in a registry (deploy/container/Dockerfile)")
    image.add_argument("--role", required=True, help="ARN of the role that the container works as")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("train", parents=[shared, image], help="a training job")
    one.add_argument("--train", required=True, metavar="S3", help="label folders or a manifest")
    one.add_argument("--validation", metavar="S3")
    one.add_argument("--test", metavar="S3")
    one.add_argument("--channel", type=pair, action="append", default=[], metavar="NAME=S3", help="e.g. config=s3://...")
    one.add_argument("--output", required=True, metavar="S3")
    one.add_argument("--checkpoints", metavar="S3", help="default: below the output")
    one.add_argument("--mode", choices=("File", "FastFile", "Pipe"), default="FastFile")
    one.add_argument("--hyperparameter", type=pair, action="append", default=[], metavar="NAME=VALUE")
    one.add_argument("--spot", action="store_true", help="cheaper, and stopped and started again as it comes")
    one.add_argument("--volume-gb", type=int, default=100, metavar="N")
    one.add_argument("--max-seconds", type=int, default=86400, metavar="N")
    add_instances(one, "ml.g5.2xlarge")
    one.set_defaults(requests=train)

    one = commands.add_parser("model", parents=[shared, image], help="a model of what a job has trained")
    one.add_argument("--model-data", required=True, metavar="S3", help="model.tar.gz of a bundle")
    one.add_argument("--environment", type=pair, action="append", default=[], metavar="NAME=VALUE")
    one.set_defaults(requests=model)

    one = commands.add_parser("endpoint", parents=[shared], help="an endpoint, real time or asynchronous")
    one.add_argument("--model", help="default: the one of the same name")
    one.add_argument("--async-output", metavar="S3", help="asynchronous, with the answers there; create its model with "
                     f"--environment SAGEMAKER_MODEL_SERVER_TIMEOUT={ASYNC_SECONDS}")
    one.add_argument("--at-once", type=int, default=4, metavar="N", help="asynchronous requests of an instance at once")
    add_instances(one, "ml.c5.2xlarge")
    one.set_defaults(requests=endpoint)

    one = commands.add_parser("transform", parents=[shared], help="a batch transform: a video a request")
    one.add_argument("--model", help="default: the one of the same name")
    one.add_argument("--input", required=True, metavar="S3", help="a prefix with videos; with --lines with JSON Lines")
    one.add_argument("--output", required=True, metavar="S3")
    one.add_argument("--lines", action="store_true", help='the input is of lines {"s3_uri": ...}')
    one.add_argument("--at-once", type=int, choices=range(1, 101), default=4, metavar="N")
    add_instances(one, "ml.c5.2xlarge")
    one.set_defaults(requests=transform)
    return parser.parse_args(words)


def checked(client, requests):
    """What the service would refuse by its form alone, as one text; empty when nothing."""
    wrong = []
    for operation, request in requests:
        name = client.meta.method_to_api_mapping[operation]
        shape = client.meta.service_model.operation_model(name).input_shape
        report = ParamValidator().validate(request, shape)
        if report.has_errors():
            wrong.append(f"{operation}: {report.generate_report()}")
    return "\n".join(wrong)


def main(words=None):
    options = parse(words)
    client = boto3.client("sagemaker", region_name=options.region, endpoint_url=options.endpoint_url)
    requests = options.requests(options)
    wrong = checked(client, requests)
    if wrong:
        print(wrong, file=sys.stderr)
        return 2
    for operation, request in requests:
        if options.dry_run:
            print(json.dumps({"operation": operation, "request": request}))
            continue
        answer = getattr(client, operation)(**request)
        print(next((value for name, value in answer.items() if name.endswith("Arn")), operation))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (BotoCoreError, ClientError) as error:
        print(error, file=sys.stderr)
        sys.exit(1)
