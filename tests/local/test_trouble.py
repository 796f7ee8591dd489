"""Faults met by calls: each bites, in a real cloud, and does not without."""

from __future__ import annotations

import json
import time

import pytest
from botocore import xform_name
from botocore.exceptions import ClientError, ConnectionClosedError

from tests.local.deliveries.subscribing import lets

DOES = {
    "dynamodb.PutItem": "put_item(TableName=it['table'], Item={'key': {'S': 'a'}})",
    "sqs.SendMessage": "send_message(QueueUrl=it['queue'], MessageBody='1')",
    "events.PutEvents": (
        "put_events(Entries=[{'Source': it['table'], 'DetailType': 'x', 'Detail': '{}'}])"
    ),
    "rekognition.DeleteStreamProcessor": "delete_stream_processor(Name=it['processor'])",
}
"""A call of each kind of service: ministack's and ours, and what a message or event is."""


@pytest.fixture
def scene(world):
    """What the calls are about; `did(operation)` counts what came of them."""
    return Scene(world)


class Scene:
    def __init__(self, world):
        self.world, self.name = world, world.unique("scene")
        self.queue, self.told = world.queue(), world.queue()
        self._dynamodb = world.client("dynamodb")
        self._dynamodb.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        )
        self._subscribe()
        self._create_processor()

    def event(self):
        return {"table": self.name, "queue": self.queue.url, "processor": self.name}

    def function(self, operation):
        """A function that makes one call, and counts in its answer."""
        service, _, _ = operation.partition(".")
        source = "import boto3\ndef handler(it, context):\n"
        source += f"    boto3.client('{service}').{DOES[operation]}\n    return 'done'\n"
        return self.world.function({"app.py": source})

    def invoke(self, function):
        answer = self.world.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps(self.event())
        )
        return answer.get("FunctionError"), json.load(answer["Payload"])

    def did(self, operation):
        """How often it took effect, so far."""
        if operation == "dynamodb.PutItem":
            return self._dynamodb.scan(TableName=self.name)["Count"]
        if operation == "rekognition.DeleteStreamProcessor":
            found = self.world.client("rekognition").list_stream_processors()["StreamProcessors"]
            return int(self.name not in [each["Name"] for each in found])
        if operation == "sqs.SendMessage":
            return self.count(self.queue)
        return self._told()

    def _told(self):
        """The events so far: those that came before one of our own."""
        entry = {"Source": self.name, "DetailType": "last", "Detail": "{}"}
        self.world.client("events").put_events(Entries=[entry])
        found = []

        def all_are_there():
            found.extend(self.world.received(self.told))
            return "last" in [event["detail-type"] for event in found]

        self.world.until(all_are_there)
        return len(found) - 1

    def count(self, queue):
        name = "ApproximateNumberOfMessages"
        asked = self.world.client("sqs").get_queue_attributes(
            QueueUrl=queue.url, AttributeNames=[name]
        )
        return int(asked["Attributes"][name])

    def _subscribe(self):
        events, pattern = self.world.client("events"), json.dumps({"source": [self.name]})
        rule = events.put_rule(Name=self.name, EventPattern=pattern)["RuleArn"]
        policy = lets(self.told.arn, "sqs:SendMessage", rule)
        sqs = self.world.client("sqs")
        sqs.set_queue_attributes(QueueUrl=self.told.url, Attributes={"Policy": policy})
        events.put_targets(Rule=self.name, Targets=[{"Id": "told", "Arn": self.told.arn}])

    def _create_processor(self):
        here = "us-east-1:000000000000:stream"
        camera = f"arn:aws:kinesisvideo:{here}/{self.name}/1600000000000"
        self.world.client("rekognition").create_stream_processor(
            Name=self.name,
            Input={"KinesisVideoStream": {"Arn": camera}},
            Output={"KinesisDataStream": {"Arn": f"arn:aws:kinesis:{here}/{self.name}"}},
            Settings={"FaceSearch": {"CollectionId": "people"}},
            RoleArn="arn:aws:iam::000000000000:role/watch",
        )


@pytest.mark.parametrize("operation", DOES)
@pytest.mark.parametrize(("kills", "effects"), [("before", 0), ("after", 1)])
def test_a_function_is_killed_at_a_call(quick_cloud, scene, operation, kills, effects):
    """Its process is gone; the call has taken effect or not; Invoke says what AWS says."""
    function = scene.function(operation)
    quick_cloud.fault(operation, kills=kills, caller=function)
    error, payload = scene.invoke(function)
    assert (error, payload["errorType"]) == ("Unhandled", "Runtime.ExitError")
    assert payload["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert scene.did(operation) == effects
    scene.world.until(lambda: "signal: killed" in scene.world.logs(function))


@pytest.mark.parametrize("operation", DOES)
def test_control_the_same_function_lives_on(scene, operation):
    """Without the fault: it ends well, and its call takes effect once."""
    assert scene.invoke(scene.function(operation)) == (None, "done")
    assert scene.did(operation) == 1


def test_only_the_function_meant_is_killed_and_only_at_its_nth_call(quick_cloud, scene):
    """Others make the same call, and it makes it before and after."""
    one, other = scene.function("sqs.SendMessage"), scene.function("sqs.SendMessage")
    quick_cloud.fault("sqs.SendMessage", kills="before", caller=one, skip=2)
    assert [scene.invoke(function)[0] for function in (other, one, other, one)] == [None] * 4
    assert [scene.invoke(one)[0] for _ in range(2)] == ["Unhandled", None]
    assert scene.did("sqs.SendMessage") == 5


def test_a_mapping_tries_again_what_a_killed_function_had_begun(quick_cloud, world):
    """A Kinesis mapping: killed behind its message, the function tells it twice."""
    stream = world.stream()
    mapped = world.mapped("return None", stream)
    quick_cloud.fault("sqs.SendMessage", kills="after", caller=mapped.function)
    world.put(stream, "once")
    told = world.wait_for(mapped.told, 2)
    assert [each["found"] for each in told] == [["once"], ["once"]]


def test_a_queue_delivers_again_what_a_killed_function_had_received(quick_cloud, world):
    """An SQS mapping: the message comes back, after its visibility timeout, and counts."""
    told, work = world.queue(), world.queue(VisibilityTimeout="1")
    source = (
        "import boto3, os\ndef handler(event, context):\n"
        "    count = event['Records'][0]['attributes']['ApproximateReceiveCount']\n"
        "    boto3.client('sqs').send_message(QueueUrl=os.environ['TOLD'], MessageBody=count)\n"
    )
    function = world.function({"app.py": source}, variables={"TOLD": told.url}, timeout=1)
    quick_cloud.fault("sqs.SendMessage", kills="before", caller=function)
    world.client("lambda").create_event_source_mapping(
        FunctionName=function, EventSourceArn=work.arn
    )
    world.client("sqs").send_message(QueueUrl=work.url, MessageBody="work")
    assert world.wait_for(told, 1) == [2]


def test_a_fault_is_aimed_at_one_table(quick_cloud, scene, world):
    """Another test's table, in the same cloud, is spared, and counts nothing down."""
    other, dynamodb = Scene(world), world.client("dynamodb")
    item = {"key": {"S": "a"}}
    code = "ProvisionedThroughputExceededException"
    quick_cloud.fault("dynamodb.PutItem", target=scene.name, code=code)
    dynamodb.put_item(TableName=other.name, Item=item)
    with pytest.raises(dynamodb.exceptions.ProvisionedThroughputExceededException):
        dynamodb.put_item(TableName=scene.name, Item=item)
    dynamodb.put_item(TableName=scene.name, Item=item)


@pytest.mark.parametrize(
    ("operation", "code", "status"),
    [
        ("dynamodb.ListTables", "InternalServerError", 500),
        ("kinesis.ListStreams", "LimitExceededException", 400),
        ("sqs.ListQueues", "QueueDoesNotExist", 400),
        ("sns.ListTopics", "NotFoundException", 404),
        ("iam.ListUsers", "NoSuchEntityException", 404),
        ("s3.ListBuckets", "NoSuchBucket", 404),
        ("lambda.ListFunctions", "TooManyRequestsException", 429),
        ("events.ListRules", "InternalException", 500),
        ("cloudformation.ListStacks", "TokenAlreadyExistsException", 400),
        ("logs.DescribeLogGroups", "ServiceUnavailableException", 500),
        ("rekognition.ListCollections", "ProvisionedThroughputExceededException", 400),
        ("kinesisvideo.ListStreams", "ClientLimitExceededException", 400),
    ],
)
def test_an_error_is_the_class_that_botocore_has_for_it(
    quick_cloud, world, operation, code, status
):
    """Named as the model names it, it comes as its service sends it, with the model's status."""
    service, _, name = operation.partition(".")
    client = world.client(service)
    quick_cloud.fault(operation, code=code)
    with pytest.raises(getattr(client.exceptions, code)) as refused:
        getattr(client, xform_name(name))()
    answer = refused.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == status
    assert answer["Error"]["Message"] == "injected fault"


@pytest.mark.parametrize("operation", ["sqs.ListQueues", "rekognition.ListCollections"])
def test_a_connection_breaks_without_an_answer(quick_cloud, world, operation):
    """As networks do, whoever would answer; the next call is well."""
    service, _, name = operation.partition(".")
    call = getattr(world.client(service), xform_name(name))
    quick_cloud.fault(operation, code="Dropped")
    with pytest.raises(ConnectionClosedError):
        call()
    call()


def test_a_broken_head_request_does_not_look_well(quick_cloud, world):
    """Its answer has no body that could be missing; the connection is not used again."""
    s3, bucket = world.client("s3"), world.unique("bucket")
    s3.create_bucket(Bucket=bucket)
    quick_cloud.fault("s3.HeadBucket", code="Dropped", target=bucket)
    with pytest.raises(ClientError) as refused:
        s3.head_bucket(Bucket=bucket)
    assert refused.value.response["ResponseMetadata"]["HTTPHeaders"]["connection"] == "close"
    s3.head_bucket(Bucket=bucket)


def test_a_call_is_held_and_goes_through(quick_cloud, world):
    """At least as long as it says; never is it asserted how much longer."""
    queue, sqs = world.queue(), world.client("sqs")
    quick_cloud.fault("sqs.GetQueueUrl", delay_s=0.5, target=queue.name)
    began = time.monotonic()
    assert sqs.get_queue_url(QueueName=queue.name)["QueueUrl"] == queue.url
    assert time.monotonic() - began >= 0.5


def test_describe_and_list_of_one_processor_are_stale(quick_cloud, scene):
    """It is gone, and still shown; the other, gone as well, is not."""
    rekognition, other = scene.world.client("rekognition"), Scene(scene.world)
    quick_cloud.fault(
        "rekognition.DescribeStreamProcessor", target=scene.name, stale_s=3000, times=None
    )
    for name in (scene.name, other.name):
        rekognition.delete_stream_processor(Name=name)
    assert rekognition.describe_stream_processor(Name=scene.name)["Status"] == "STOPPED"
    with pytest.raises(rekognition.exceptions.ResourceNotFoundException):
        rekognition.describe_stream_processor(Name=other.name)
    quick_cloud.faults_clear(target=scene.name)
    with pytest.raises(rekognition.exceptions.ResourceNotFoundException):
        rekognition.describe_stream_processor(Name=scene.name)


def test_a_message_is_taken_and_never_delivered(quick_cloud, world):
    """Answered as ever, alone and in a batch; the queue beside gets its own, and so does the next."""
    sqs, lossy, sound = world.client("sqs"), world.queue(), world.queue()
    quick_cloud.fault("sqs.Message", target=lossy.name, code="Lost", times=2)
    sent = [sqs.send_message(QueueUrl=each.url, MessageBody="1") for each in (lossy, sound)]
    assert {each["MD5OfMessageBody"] for each in sent} == {"c4ca4238a0b923820dcc509a6f75849b"}
    assert len({each["MessageId"] for each in sent}) == 2
    entries = [{"Id": str(number), "MessageBody": str(number)} for number in (2, 3)]
    batch = sqs.send_message_batch(QueueUrl=lossy.url, Entries=entries)
    assert len(batch["Successful"]) == 2
    assert (world.received(sound), world.received(lossy)) == ([1], [3])


def test_what_a_queue_refuses_is_not_lost(quick_cloud, world):
    """A wrong delay is refused as ever."""
    sqs, queue = world.client("sqs"), world.queue()
    quick_cloud.fault("sqs.Message", target=queue.name, code="Lost", times=None)
    wrong = {"QueueUrl": queue.url, "MessageBody": "1", "DelaySeconds": 901}
    assert world.refused(sqs.send_message, **wrong) == "InvalidParameterValue"
    quick_cloud.faults_clear(target=queue.name)


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ("rekognition.StopStreamProcesor", "perhaps rekognition.StopStreamProcessor"),
        ("kinesisvideos.PutMedia", "a service of botocore"),
    ],
)
def test_an_operation_that_there_is_not_is_refused(quick_cloud, operation, said):
    """A fault with a slip of the pen would wait for ever."""
    with pytest.raises(Exception, match="there is no operation") as refused:
        quick_cloud.fault(operation, code="X")
    assert said in refused.value.hint


def test_faults_are_listed_and_taken_back_one_by_one(quick_cloud, world):
    """As they wait, with what remains."""
    name = world.unique("t")
    quick_cloud.fault("dynamodb.PutItem", target=name, code="X", skip=1, times=2, for_s=600)
    (mine,) = [each for each in quick_cloud.faults() if each["target"] == name]
    assert (mine["operation"], mine["skip"], mine["times"]) == ("dynamodb.PutItem", 1, 2)
    assert 0 < mine["for_s"] <= 600
    quick_cloud.faults_clear(target=name)
    assert name not in [each["target"] for each in quick_cloud.faults()]
    with pytest.raises(Exception, match="faults are not told by code"):
        quick_cloud.faults_clear(code="X")
