"""Waiting for a processor, and the explanation where it is waited for in vain."""


def test_a_processor_that_fails_is_explained(streamctl_, camera, client):
    """AWS finds a bad role only after a start; `wait` and `describe` say what to do."""
    made = streamctl_(f"camera describe {camera} -o json").json
    role = made["role_arn"].rpartition("/")[2]
    client("iam").update_assume_role_policy(
        RoleName=role,
        PolicyDocument='{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",'
        ' "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}',
    )
    streamctl_(f"processor create --camera {camera} --collection staff")
    streamctl_(f"processor start {camera}")
    failed = streamctl_(f"processor wait {camera} --for running")
    assert failed.code == 1
    assert f"error: processor {camera} FAILED: Access denied to Role" in failed.err
    assert "does not trust rekognition.amazonaws.com" in failed.err
    described = streamctl_(f"processor describe {camera} -o json")
    assert described.code == 0
    assert described.json["status"] == "FAILED"
    assert "does not trust rekognition.amazonaws.com" in described.err
    assert "; the platform deletes it 1m30s after it FAILED\n" in described.err
    assert streamctl_(f"processor stop {camera}").err.endswith("was not running\n")


def test_waiting_ends_when_it_is_told_to(streamctl_, camera):
    """Exit code 5, what it last saw, and what to do about it."""
    streamctl_(f"processor create --camera {camera} --collection staff")
    said = streamctl_(f"processor wait {camera} --for running --timeout 1s")
    assert said.code == 5
    assert f"processor {camera} is STOPPED, not running, after 1s" in said.err
    assert f"hint: it is not starting: streamctl processor start {camera}" in said.err
