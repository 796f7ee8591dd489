"""What things may be called."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.core import names
from streamctl.errors import AskedWrongly

NAMES = st.from_regex(r"[a-zA-Z0-9_.\-]{1,80}", fullmatch=True)
PLATFORMS = st.from_regex(r"[a-z][a-z0-9-]{0,19}", fullmatch=True).filter(
    lambda name: "-camera-" not in name
)


@pytest.mark.parametrize(
    "rule",
    [
        names.platform,
        names.camera,
        names.processor,
        names.collection,
        names.person,
        names.video_stream,
    ],
)
@pytest.mark.parametrize("name", ["", "front door", "tür", "a/b", "a\n", "x" * 257])
def test_names_that_aws_would_refuse_are_refused_with_the_rule(rule, name):
    """A space, a slash, a letter beyond ASCII, nothing, too much: each is told the rule."""
    with pytest.raises(AskedWrongly) as refused:
        rule(name)
    assert "a name is" in refused.value.hint


@given(NAMES)
def test_a_name_within_the_rule_is_taken_as_it_is(name):
    """Nothing is changed about a name."""
    assert names.camera(name) == names.processor(name) == names.collection(name) == name


@pytest.mark.parametrize("name", ["Main", "1st", "-a", "a_b", "a.b", "x" * 21, "a-camera-b"])
def test_a_platforms_name_is_narrower_since_stacks_and_buckets_bear_it(name):
    """Capitals, dots and underscores go into no bucket; '-camera-' would be a camera's stack."""
    with pytest.raises(AskedWrongly):
        names.platform(name)


@given(PLATFORMS, NAMES)
def test_what_is_made_of_good_names_is_good_for_aws(platform, camera):
    """Stack, results and bucket keep AWS's rules for them, whatever the names."""
    assert re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", names.camera_stack(platform, camera))
    assert re.fullmatch(r"[a-zA-Z0-9_.-]{1,128}", names.results(platform, camera))
    bucket = names.artifact_bucket("123456789012", "ap-northeast-1", platform)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,62}", bucket)


@given(PLATFORMS, PLATFORMS, NAMES)
def test_no_platforms_stack_is_some_platforms_camera(platform, other, camera):
    """A camera's stack is never taken for a platform's."""
    assert names.platform_stack(platform) != names.camera_stack(other, camera)


ARN = "arn:aws:kinesisvideo:us-east-1:123456789012:stream/door/1600000000000"


@pytest.mark.parametrize("name", ["door", ARN, ARN.replace("arn:aws", "arn:aws-us-gov")])
def test_a_video_stream_is_named_or_has_an_arn(name):
    """Any will do, also one that is not ours."""
    assert names.video_stream(name) == name


@pytest.mark.parametrize(
    "name", ["arn:", "arn:aws:foo", ARN.replace("video", ""), ARN + "/x", ARN + "\n", ARN[:-14]]
)
def test_what_is_no_video_streams_arn_is_refused_with_how_one_is_written(name):
    """AWS would say a regular expression."""
    with pytest.raises(AskedWrongly, match="no ARN of a Kinesis video stream") as refused:
        names.video_stream(name)
    assert "stream/NAME/NUMBER" in refused.value.hint


def test_a_persons_name_may_have_a_colon():
    """ExternalImageId takes one, and nothing else of ours does."""
    assert names.person("staff:ann.lee-2") == "staff:ann.lee-2"
