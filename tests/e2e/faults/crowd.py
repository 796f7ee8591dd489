"""Many processors at once: made by boto3, fed by threads, with video in which nobody is seen."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np

from streamctl.aws.session import Aws
from streamctl.ops import push
from tests.e2e.faults.stage import IDLE_S, Stage

SECONDS, FPS, WIDTH, HEIGHT = 8, 10, 320, 240
TAGS = {
    "streamctl:managed": "true",
    "streamctl:platform": "main",
    "streamctl:idle-after": f"{IDLE_S:.0f}s",
    "streamctl:on-end": "delete",
}


def play(on: Stage, count: int) -> list[str]:
    """Create so many cameras and processors, start them all, and play a clip to all at once."""
    names = [f"crowd{number}" for number in range(count)]
    role = _role(on)
    for name in names:
        _create(on, name, role)
    rekognition = on.client("rekognition")
    on.wait_for(lambda: _running(on, names), 240, f"{count} running")
    clip = on.folder / "empty.mkv"
    _render(clip)
    os.environ.update(on.cloud.env())  # this process plays one row, and no other
    aws = Aws()
    with on.watch.must_live(*names), ThreadPoolExecutor(count) as pool:
        list(pool.map(lambda name: push.push(aws, name, clip), names))
    assert rekognition.list_stream_processors()["StreamProcessors"]
    return names


def _running(on: Stage, names: list[str]) -> bool:
    return all(on.watch.now.get(name) == "RUNNING" for name in names)


def _create(on: Stage, name: str, role: str) -> None:
    videos, kinesis = on.client("kinesisvideo"), on.client("kinesis")
    camera = videos.create_stream(StreamName=name, DataRetentionInHours=1)["StreamARN"]
    kinesis.create_stream(StreamName=on.results(name), ShardCount=1)
    results = kinesis.describe_stream_summary(StreamName=on.results(name))
    rekognition = on.client("rekognition")
    rekognition.create_stream_processor(
        Name=name,
        Input={"KinesisVideoStream": {"Arn": camera}},
        Output={"KinesisDataStream": {"Arn": results["StreamDescriptionSummary"]["StreamARN"]}},
        RoleArn=role,
        Settings={"FaceSearch": {"CollectionId": "staff", "FaceMatchThreshold": 90}},
        Tags={**TAGS, "streamctl:camera": name},
    )
    rekognition.start_stream_processor(Name=name)
    on.client("sqs").send_message(
        QueueUrl=on.output("ClockQueueUrl"),
        MessageBody=json.dumps({"camera": camera, "processor": name}),
    )


def _role(on: Stage) -> str:
    """What camera.yaml gives a processor, for all cameras at once."""
    iam = on.client("iam")
    trust = _policy(Principal={"Service": "rekognition.amazonaws.com"}, Action="sts:AssumeRole")
    made = iam.create_role(RoleName="crowd", AssumeRolePolicyDocument=trust)
    may = ["kinesisvideo:GetDataEndpoint", "kinesisvideo:GetMedia", "kinesis:PutRecord"]
    document = _policy(Action=[*may, "kinesis:PutRecords"], Resource="*")
    iam.put_role_policy(RoleName="crowd", PolicyName="watch", PolicyDocument=document)
    return str(made["Role"]["Arn"])


def _policy(**statement: Any) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]})


def _render(path: Path) -> None:
    """A grey room in which the light changes, in fragments of a second."""
    with av.open(str(path), "w", format="matroska") as container:
        track = container.add_stream("libx264", rate=FPS)
        track.width, track.height, track.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        track.codec_context.gop_size = FPS
        track.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": "scenecut=0"}
        for number in range(SECONDS * FPS):
            picture = np.full((HEIGHT, WIDTH, 3), 90 + number % 60, dtype=np.uint8)
            container.mux(track.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(track.encode(None))
