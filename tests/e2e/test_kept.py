"""What a platform told is kept, with pictures that show whom they should, without delaying anything."""

import json

KNOWN = "eileen-collins"


def test_what_was_told_is_kept_with_a_picture_of_the_person(build_pipeline):
    """Under the answer that makes it hardest, and with no leave but what the templates give."""
    pipeline = build_pipeline("5s", auth=True, switches={"list_fragments_late_s": 1})
    pipeline.start()
    pipeline.run("camera", "push", "door", pipeline.video())
    pipeline.run("processor", "wait", "door", "--for", "gone", "--timeout", "80s")
    pipeline.wait_told("Processor Torn Down")
    (started,), (ended,) = pipeline.told("Sighting Started"), pipeline.told("Sighting Ended")
    told = {event["detail"]["id"] for event in pipeline.heard()}
    pipeline.wait_for(lambda: kept(pipeline) == told, 20, "everything that was told is kept")

    references = [event["best"]["picture"] for event in (started, ended)]
    wanted = {reference["key"] for reference in references}
    assert {reference["bucket"] for reference in references} == {output(pipeline, "PicturesName")}
    pipeline.wait_for(lambda: set(pictures(pipeline)) == wanted, 40, "a picture of each best frame")
    for event in (started, ended):
        assert_shows(pipeline, event)


def assert_shows(pipeline, event):
    """The picture is of that person, by the collection; where the box says; and of that moment."""
    s3, reference = pipeline.client("s3"), event["best"]["picture"]
    found = s3.get_object(Bucket=reference["bucket"], Key=reference["key"])
    assert found["ContentType"] == "image/jpeg"
    assert abs(int(found["Metadata"]["apart-ms"])) <= 100
    matched = pipeline.client("rekognition").search_faces_by_image(
        CollectionId="staff", Image={"Bytes": found["Body"].read()}
    )
    assert [each["Face"]["ExternalImageId"] for each in matched["FaceMatches"]] == [KNOWN]
    box, there = event["best"]["box"], matched["SearchedFaceBoundingBox"]
    for side in box:
        assert abs(box[side] - there[side.capitalize()]) < 0.05


def kept(pipeline):
    """The ids of all events in the table; each is as it was told."""
    table = pipeline.client("dynamodb").scan(TableName=output(pipeline, "KeptName"))
    told = {event["detail"]["id"]: event["detail"] for event in pipeline.heard()}
    for item in table["Items"]:
        event = json.loads(item["message"]["S"])
        assert event["detail"] == told[item["id"]["S"]]
    return {item["id"]["S"] for item in table["Items"]}


def pictures(pipeline):
    listed = pipeline.client("s3").list_objects_v2(Bucket=output(pipeline, "PicturesName"))
    return [each["Key"] for each in listed.get("Contents", [])]


def output(pipeline, name):
    (stack,) = pipeline.client("cloudformation").describe_stacks(StackName="streamctl-main")[
        "Stacks"
    ]
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}[name]
