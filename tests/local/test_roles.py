"""What roles let services do, by trust, policies, and AWS's own managed policy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# Roles live in ministack, which takes its settings when it is imported: so in a process of its own.
PROGRAM = """
import json, sys
from pathlib import Path
from streamctl.local.cloud import Cloud
from streamctl.local.engine_room import EngineRoom
from streamctl.local.repairs import _know_rekognitions_policy
from streamctl.local.roles import Roles

engine = EngineRoom(Cloud(Path(sys.argv[1]), 1, 2), persistent=False)
_know_rekognitions_policy(engine)
roles, iam = Roles(engine), engine.module("services.iam")

def role(trust, *statements, attached=()):
    name = f"role{len(iam._roles.to_dict())}"
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    iam._roles[name] = {
        "RoleName": name,
        "AssumeRolePolicyDocument": json.dumps({"Statement": trust}),
        "InlinePolicies": {"p": json.dumps(document)} if statements else {},
        "AttachedPolicies": list(attached),
    }
    return f"arn:aws:iam::000000000000:role/{name}"

REKOGNITION = "rekognition.amazonaws.com"
TRUST = {"Effect": "Allow", "Principal": {"Service": REKOGNITION}, "Action": "sts:AssumeRole"}
PROCESSOR = "arn:aws:rekognition:us-east-1:000000000000:streamprocessor/door"
STREAM = "arn:aws:kinesis:us-east-1:000000000000:stream/"
PUT = {"Effect": "Allow", "Action": "kinesis:PutRecord", "Resource": STREAM + "faces"}
guarded = dict(TRUST, Condition={
    "StringEquals": {"aws:SourceAccount": "000000000000"},
    "ArnLike": {"aws:SourceArn": "arn:aws:rekognition:us-east-1:000000000000:streamprocessor/*"},
})
elsewhere = dict(TRUST, Condition={"StringEquals": {"aws:SourceAccount": "111122223333"}})
denied = dict(TRUST, Effect="Deny")
several = dict(TRUST, Principal={"Service": ["lambda.amazonaws.com", REKOGNITION]})
managed = role([TRUST], attached=["arn:aws:iam::aws:policy/service-role/AmazonRekognitionServiceRole"])
own = role([TRUST], PUT)
print(json.dumps({
    "trusts": [
        roles.trusts(own, REKOGNITION, PROCESSOR),
        roles.trusts(role(several), REKOGNITION),
        roles.trusts(role(TRUST), REKOGNITION),
        roles.trusts(role([guarded]), REKOGNITION, PROCESSOR),
    ],
    "distrusts": [
        roles.trusts(own, "lambda.amazonaws.com"),
        roles.trusts(role([guarded]), REKOGNITION),
        roles.trusts(role([elsewhere]), REKOGNITION, PROCESSOR),
        roles.trusts(role([TRUST, denied]), REKOGNITION),
        roles.trusts(role([]), REKOGNITION),
        roles.trusts(role(["nonsense"]), REKOGNITION),
        roles.trusts("arn:aws:iam::000000000000:role/nobody", REKOGNITION),
        roles.trusts("nonsense", REKOGNITION),
    ],
    "allows": [
        roles.allows(own, REKOGNITION, "kinesis:PutRecord", STREAM + "faces"),
        roles.allows(managed, REKOGNITION, "kinesis:PutRecord", STREAM + "AmazonRekognition-a"),
        roles.allows(managed, REKOGNITION, "kinesisvideo:GetMedia", "arn:aws:kinesisvideo:x"),
    ],
    "forbids": [
        roles.allows(own, REKOGNITION, "kinesis:PutRecord", STREAM + "others"),
        roles.allows(own, REKOGNITION, "kinesis:GetRecords", STREAM + "faces"),
        roles.allows(own, "lambda.amazonaws.com", "kinesis:PutRecord", STREAM + "faces"),
        roles.allows(managed, REKOGNITION, "kinesis:PutRecord", STREAM + "faces"),
        roles.allows("arn:aws:iam::000000000000:role/nobody", REKOGNITION, "a:B", "*"),
    ],
}))
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What roles answered, as lists of booleans by the kind of question."""
    pytest.importorskip("ministack")
    folder = tmp_path_factory.mktemp("roles")
    command = [sys.executable, "-c", PROGRAM, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("trusts", True), ("distrusts", False), ("allows", True), ("forbids", False)],
)
def test_what_roles_answer(answers, kind, expected):
    """Trust with its conditions; policies by action and resource; AWS's policy by its name rule."""
    assert answers[kind] == [expected] * len(answers[kind])
