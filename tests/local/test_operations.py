"""Operations told from requests, for every protocol that there is."""

from __future__ import annotations

import pytest

from streamctl.local.http import Request
from streamctl.local.operations import operation_of

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}


@pytest.mark.parametrize(
    ("service", "request_", "expected"),
    [
        (
            "dynamodb",
            Request("POST", "/", "", {"x-amz-target": "DynamoDB_20120810.PutItem"}),
            "dynamodb.PutItem",
        ),
        ("iam", Request("POST", "/", "", FORM, b"Action=ListUsers&Version=1"), "iam.ListUsers"),
        ("sts", Request("GET", "/", "Action=GetCallerIdentity", {}), "sts.GetCallerIdentity"),
        (
            "monitoring",
            Request(
                "POST", "/service/GraniteServiceVersion20100801/operation/GetMetricData", "", {}
            ),
            "cloudwatch.GetMetricData",
        ),
        (
            "lambda",
            Request("POST", "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations", "", {}),
            "lambda.Invoke",
        ),
        ("lambda", Request("GET", "/2015-03-31/functions", "", {}), "lambda.ListFunctions"),
        ("scheduler", Request("POST", "/schedules/a", "", {}), "scheduler.CreateSchedule"),
        ("s3", Request("PUT", "/bucket/a/b/c", "", {}), "s3.PutObject"),
        ("s3", Request("PUT", "/b/k", "", {"x-amz-copy-source": "/b/l"}), "s3.CopyObject"),
        ("s3", Request("PUT", "/b/k", "partNumber=1&uploadId=x", {}), "s3.UploadPart"),
        ("s3", Request("PUT", "/bucket", "", {}), "s3.CreateBucket"),
        ("s3", Request("GET", "/bucket", "list-type=2&prefix=", {}), "s3.ListObjectsV2"),
        ("s3", Request("POST", "/bucket/key", "uploads=", {}), "s3.CreateMultipartUpload"),
        ("s3", Request("GET", "/", "", {}), "s3.ListBuckets"),
        ("nothing", Request("GET", "/", "", {}), ""),
        ("", Request("GET", "/", "", {}), ""),
        ("lambda", Request("GET", "/nowhere", "", {}), ""),
    ],
)
def test_which_operation_a_request_is(service, request_, expected):
    """By its target, its form, its query, or its path."""
    assert operation_of(request_, service) == expected
