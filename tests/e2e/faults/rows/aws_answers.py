"""Rows in which AWS answers otherwise: throttled, in error, stale, or with a failure."""

from __future__ import annotations

from tests.e2e.faults.row import Rows
from tests.e2e.faults.stage import NAME, Stage

ROWS = Rows()


@ROWS.row("table throttled for 45 s", cut=True)
def table_throttled(on: Stage) -> None:
    on.start()
    code = "ProvisionedThroughputExceededException"
    for operation in ("dynamodb.PutItem", "dynamodb.BatchGetItem"):
        on.fault(operation, code=code, for_s=45)
    on.play()
    on.gone()


@ROWS.row("Stop throttled for 45 s")
def stop_throttled(on: Stage) -> None:
    on.start()
    on.play()
    on.wait_phase("DRAINING")
    on.fault("rekognition.StopStreamProcessor", code="ThrottlingException", times=None, for_s=45)
    on.gone(within_s=300)


@ROWS.row("Stop and Delete in use, thrice")
def in_use(on: Stage) -> None:
    on.start()
    for operation in ("StopStreamProcessor", "DeleteStreamProcessor"):
        on.fault(f"rekognition.{operation}", code="ResourceInUseException", times=3)
    on.play()
    on.gone()


@ROWS.row("Describe answers 500, ten times")
def describe_fails(on: Stage) -> None:
    on.start()
    on.fault(
        "rekognition.DescribeStreamProcessor", code="InternalServerError", status=500, times=10
    )
    on.play()
    on.gone()


@ROWS.row("Describe 2 s stale", switches={"stale_describe_s": 2})
def describe_is_stale(on: Stage) -> None:
    on.start()
    on.play()
    on.gone()


@ROWS.row("FAILED by a bad role")
def bad_role(on: Stage) -> None:
    iam = on.client("iam")
    (role,) = [
        each["RoleName"]
        for each in iam.list_roles()["Roles"]
        if "ProcessorRole" in each["RoleName"]
    ]
    for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role, PolicyName=policy)
    on.run("processor", "start", NAME)
    (failed,) = on.wait_told("Processor Failed", within_s=60)
    assert "Access denied" in failed["status_message"]
    assert failed["cure"]
    on.gone()


@ROWS.row("stuck in STARTING")
def stuck(on: Stage) -> None:
    on.fault("rekognition.Transition", target=NAME, delay_s=600)
    on.run("processor", "start", NAME)
    (failed,) = on.wait_told("Processor Failed", within_s=200)
    assert "STARTING for" in failed["cause"]
    on.gone()
