"""Video in, people told apart, the end noticed, the processor gone: with every part real."""

import json
import zipfile

import pytest

KNOWN = "eileen-collins"

SWITCHES = {
    "as we believe": {},
    "the other way": {
        "empty_records": False,
        "stop_of_stopped_is_error": False,
        "stale_describe_s": 2,
        "eleventh_start": "fails",
        "list_fragments_late_s": 1,
    },
    "stops by itself": {"stops_by_itself_after_s": 9},
}


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=list(SWITCHES))
def test_whichever_way_aws_answers(build_pipeline, switches):
    """The open questions of docs/assumptions.md: the main job is done under both answers of each."""
    pipeline = build_pipeline("5s", switches=switches)
    pipeline.start()
    pipeline.run("camera", "push", "door", pipeline.video(), "--fast")
    pipeline.run("processor", "wait", "door", "--for", "gone", "--timeout", "80s")
    pipeline.wait_told("Processor Torn Down")
    assert people(pipeline, "Sighting Started") == [KNOWN]
    assert people(pipeline, "Sighting Ended") == [KNOWN]
    (ended,) = pipeline.told("Sighting Ended")
    assert ended["frames"] == len(matched(pipeline))
    assert [each["reason"] for each in pipeline.told("Processor Torn Down")] == ["ended"]
    empty = [record for record in pipeline.records() if not record["FaceSearchResponse"]]
    assert bool(empty) == switches.get("empty_records", True)
    assert_all_fit_their_schemas(pipeline)


def test_records_are_handled_by_the_deployed_zip_through_the_mapping(build_pipeline):
    """The control of all that follows: with the mapping gone, no sightings; the clock still works."""
    pipeline = build_pipeline("5s")
    pipeline.start()
    pipeline.run("camera", "push", "door", pipeline.video(), "--fast")
    pipeline.wait_told("Sighting Started")
    batches = [json.loads(line) for line in pipeline.log("on-records") if '"what": "batch"' in line]
    assert {batch["results"].rpartition("/")[2] for batch in batches} == {
        "AmazonRekognition-main-door"
    }
    assert deployed_modules(pipeline) >= {"lambdas/on_records.py", "streamctl/ops/intake.py"}

    delete_mapping(pipeline)
    before = len(pipeline.records())
    pipeline.run("camera", "push", "door", pipeline.video(), "--fast")
    pipeline.wait_for(lambda: len(pipeline.records()) > before, 20, "more records")
    pipeline.run("processor", "wait", "door", "--for", "gone", "--timeout", "80s")
    assert people(pipeline, "Sighting Started") == [KNOWN]
    assert pipeline.wait_told("Processor Torn Down")[0]["reason"] == "ended"
    assert_all_fit_their_schemas(pipeline)


@pytest.mark.minutes
@pytest.mark.timeout(300)
def test_without_mapping_and_clocks_the_sweep_alone_tears_down(build_pipeline):
    pipeline = build_pipeline("5s")
    pipeline.start()
    delete_mapping(pipeline)
    switch_off_clocks(pipeline)
    pipeline.run("camera", "push", "door", pipeline.video(), "--fast")
    pipeline.run("processor", "wait", "door", "--for", "gone", "--timeout", "4m", within_s=250)
    (torn,) = pipeline.wait_told("Processor Torn Down")
    assert torn["reason"] == "ended"
    assert people(pipeline, "Sighting Started") == []
    assert_all_fit_their_schemas(pipeline)


def test_nothing_is_torn_down_while_video_flows(build_pipeline):
    """The control: the same idle time, and a camera that goes on for three times as long."""
    pipeline = build_pipeline("5s")
    pipeline.start()
    pipeline.run("camera", "push", "door", pipeline.video())
    pipeline.run("camera", "push", "door", pipeline.video(), "--fast")
    assert pipeline.status() == "RUNNING"


def assert_all_fit_their_schemas(pipeline):
    """Everything that was told in this run, to an app that has the schemas and nothing else of ours."""
    heard = {event["detail"]["id"] for event in pipeline.heard()}
    verdicts = pipeline.verdicts()
    assert [verdict for verdict in verdicts if verdict["problems"]] == []
    assert {verdict["id"] for verdict in verdicts} == heard
    assert heard


def people(pipeline, kind):
    return [detail["person"] for detail in pipeline.told(kind)]


def matched(pipeline):
    """The distinct frames in which the enrolled person was matched, straight from results."""
    return {
        (video["FragmentNumber"], video["FrameOffsetInSeconds"])
        for record in pipeline.records()
        for video in [record["InputInformation"]["KinesisVideo"]]
        for face in record["FaceSearchResponse"]
        if any(match["Face"].get("ExternalImageId") == KNOWN for match in face["MatchedFaces"])
    }


def delete_mapping(pipeline):
    aws_lambda = pipeline.client("lambda")
    (mapping,) = aws_lambda.list_event_source_mappings(FunctionName="streamctl-main-on-records")[
        "EventSourceMappings"
    ]
    aws_lambda.delete_event_source_mapping(UUID=mapping["UUID"])


def switch_off_clocks(pipeline):
    """No clock goes off any more, and those that were sent are gone."""
    aws_lambda, sqs = pipeline.client("lambda"), pipeline.client("sqs")
    (mapping,) = aws_lambda.list_event_source_mappings(FunctionName="streamctl-main-on-clock")[
        "EventSourceMappings"
    ]
    aws_lambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    for url in sqs.list_queues(QueueNamePrefix="streamctl-main-ClockQueue")["QueueUrls"]:
        sqs.purge_queue(QueueUrl=url)


def deployed_modules(pipeline):
    """What is in the zip that the functions run from, as it lies in the bucket."""
    s3, path = pipeline.client("s3"), pipeline.folder / "deployed.zip"
    (stack,) = pipeline.client("cloudformation").describe_stacks(StackName="streamctl-main")[
        "Stacks"
    ]
    given = {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}
    s3.download_file(given["CodeBucket"], given["CodeKey"], str(path))
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())
