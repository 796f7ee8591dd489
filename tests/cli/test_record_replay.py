"""Records saved as they are, and told of again: a report of a fault becomes a test."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.test_record import aggregate, face, put, record

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def saved(second, data):
    """A line as `record save` writes it."""
    arrived = (BEGAN + timedelta(seconds=second)).isoformat()
    plain = {"data": base64.b64encode(data).decode(), "arrived": arrived}
    return json.dumps({**plain, "shard": "shardId-0", "sequence_number": str(second)})


def seen(second, *people):
    return record(*(face((who, 95.0)) for who in people), server=BEGAN.timestamp() + second)


@pytest.fixture
def replayed(streamctl_, tmp_path):
    def replay(*lines, options=()):
        file = tmp_path / "door.records"
        file.write_text("\n".join(lines) + "\n")
        return streamctl_("record", "replay", str(file), *options)

    return replay


def events(said):
    lines = map(json.loads, said.out.splitlines())
    return [(each["at"], each["detail_type"], each["detail"]["person"]) for each in lines]


def test_records_tell_again_what_they_told(replayed):
    """On the clock of then, also the ends that a clock told; KPL aggregates too."""
    lines = [saved(2, seen(0, "ada")), saved(3, aggregate(seen(1, "ada"), seen(2, "ada")))]
    said = replayed(*lines, saved(502, seen(500)), options=("-o", "ndjson"))
    assert (said.code, said.err) == (0, "")
    assert events(said) == [
        ("2026-01-01T00:00:03.000Z", "Sighting Started", "ada"),
        ("2026-01-01T00:01:33.000Z", "Sighting Ended", "ada"),
    ]


def test_people_get_a_line_for_each(replayed):
    said = replayed(saved(2, seen(0, "ada")), saved(3, seen(1, "ada")))
    assert said.out == (
        "00:00:03Z  Sighting Started  door  ada  2 frames, best 95.0 %\n"
        "00:00:03Z  Sighting Ended    door  ada  2 frames, best 95.0 %\n"
    )


def test_other_rules_can_be_tried_on_them(replayed, tmp_path):
    rules = tmp_path / "watch.toml"
    rules.write_text("[[rule]]\nattention = 'allow'\nperson = 'ada'\n[[rule]]\nattention='ignore'")
    lines = [saved(second, seen(second, "ada", "bob")) for second in (0, 1)]
    said = replayed(*lines, options=("--watch", str(rules), "-o", "ndjson"))
    assert {who for _, _, who in events(said)} == {"ada"}
    assert json.loads(said.out.splitlines()[0])["detail"]["attention"] == "allow"


def test_poison_is_said_with_its_line_and_passed_over(replayed):
    said = replayed(saved(0, seen(0, "ada")), saved(1, b"poison"), saved(2, seen(1, "ada")))
    assert said.code == 0
    assert said.err.startswith("line 2: the record is not JSON")
    assert len(said.out.splitlines()) == 2


def test_poison_inside_an_aggregate_spares_what_is_behind_it(replayed):
    """As in the functions; so does a frame of a time to come."""
    inside = aggregate(seen(0, "ada"), b"poison", seen(999, "ada"), seen(1, "ada"))
    said = replayed(saved(1, inside))
    assert [line.partition(":")[0] for line in said.err.splitlines()] == ["line 1", "line 1"]
    assert "2 frames" in said.out


def test_where_nothing_can_be_decoded_it_has_failed(replayed):
    """As decoding does: who asks by the exit code takes it for nobody seen otherwise."""
    said = replayed(saved(0, b"poison"), saved(1, aggregate(b"poison")))
    assert (said.code, said.out) == (1, "")
    assert said.err.endswith("error: none of 2 records could be decoded\n")


def test_a_file_without_a_record_is_said_to_hold_none(streamctl_, tmp_path):
    """Saving writes one where nothing was seen: that is no error."""
    file = tmp_path / "door.records"
    file.touch()
    said = streamctl_("record", "replay", str(file))
    assert (said.code, said.out, said.err) == (0, "", "the file holds no record\n")


def test_it_is_one_document_of_json_where_that_is_asked_for(replayed, streamctl_):
    lines = [saved(2, seen(0, "ada")), saved(3, seen(1, "ada"))]
    found = replayed(*lines, options=("-o", "json")).json
    assert [each["detail_type"] for each in found] == ["Sighting Started", "Sighting Ended"]
    assert replayed(saved(2, seen(0)), options=("-o", "json")).json == []


@pytest.mark.parametrize("speed", ["nan", "-1", "inf"])
def test_a_speed_is_a_number_of_its_range(replayed, speed):
    said = replayed(saved(0, seen(0)), saved(1, seen(1)), options=("--speed", speed))
    assert (said.code, "--speed" in said.err, "bug" in said.err) == (2, True, False)


ARRIVED = '"arrived": "2026-01-01T00:00:00Z"'


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("", "it is empty"),
        ("{", "it is not JSON"),
        ("[" * 9999, "it is not JSON"),
        ("null", "it is no JSON object"),
        ("[]", "it is no JSON object"),
        ("7", "it is no JSON object"),
        ("{}", "its 'data' is no base64"),
        (f'{{"data": "%", {ARRIVED}}}', "its 'data' is no base64"),
        (f'{{"data": 7, {ARRIVED}}}', "its 'data' is no base64"),
        ('{"data": ""}', "its 'arrived' is no time like 2026-01-01T12:00:00+00:00"),
        ('{"data": "", "arrived": 7}', "its 'arrived' is no time like"),
        ('{"data": "", "arrived": "soon"}', "its 'arrived' is no time like"),
        ('{"data": "", "arrived": "9999-12-31T23:59:59+00:00"}', "its 'arrived' is no time like"),
        ('{"data": "", "arrived": "0001-01-01T00:00:00+05:00"}', "its 'arrived' is no time like"),
    ],
)
def test_what_is_no_saved_record_is_refused_with_its_line(replayed, line, why):
    """In words, and not in Python's."""
    said = replayed(saved(0, seen(0)), line)
    assert said.code == 1
    assert f"error: line 2 is no saved record: {why}" in said.err
    assert "hint: streamctl record save" in said.err


def test_a_line_that_is_too_long_is_refused(replayed):
    said = replayed("7" * (2 * 1024 * 1024 + 2))
    assert (said.code, "line 1 is no saved record: it has more than 2 MiB" in said.err) == (1, True)


def test_what_lies_in_results_is_saved_whole(streamctl_, platform, client, tmp_path):
    """Also what cannot be decoded; for nobody else's eyes, and over no other file."""
    for second in (0, 1):
        put(client, seen(second, "eve"))
    put(client, b"poison-of-eve")
    file = tmp_path / "door.records"
    said = streamctl_("record", "save", "--camera", "door", str(file))
    assert said.code == 0
    assert said.err.endswith(f"records of camera door are in {file}\n")
    kept = [base64.b64decode(json.loads(line)["data"]) for line in file.read_text().splitlines()]
    assert kept[-3:] == [seen(0, "eve"), seen(1, "eve"), b"poison-of-eve"]
    assert file.stat().st_mode & 0o777 == 0o600
    told = streamctl_("record", "replay", str(file), "-o", "ndjson")
    assert "Sighting Started" in {kind for _, kind, who in events(told) if who == "eve"}
    again = streamctl_("record", "save", "--camera", "door", str(file))
    assert (again.code, "exists already" in again.err) == (2, True)


def test_a_save_in_vain_leaves_no_file(streamctl_, platform, tmp_path):
    file = tmp_path / "nobody.records"
    assert streamctl_("record", "save", "--camera", "nobody", str(file)).code == 4
    assert not file.exists()


def test_only_what_came_since_then_is_saved(streamctl_, platform, client, tmp_path):
    put(client, seen(0, "eve"))
    file = tmp_path / "later.records"
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    said = streamctl_("record", "save", "--camera", "door", "--since", later, str(file))
    assert (said.code, file.read_text()) == (0, "")
