"""The page of a report: one whole document that fetches nothing, runs nothing, and lies about nothing."""

import base64
import hashlib
import re
from datetime import timedelta
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamctl.cli import event_page, event_timeline
from streamctl.cli.event_timeline import Axis
from streamctl.core import chronicle
from streamctl.core.chronicle import SightingEntry
from streamctl.ops.reporting import Report, Shown
from tests.core.scene import at
from tests.core.told_events import frame, processor, sighting

HOSTILE = (
    "</style><script src='//x.example/a.js'>alert(\"1\")</script><img onerror=x>&\x1b[2J\u202e"
)
FAILED = {
    "reason": "failed",
    "status_message": "Access denied to Kinesis Video",
    "cause": "the role lacks kinesisvideo:GetMedia on camera gate",
    "cure": "put that right, then: streamctl processor start gate",
}
JPEG = b"\xff\xd8\xff\xe0 the bytes of a picture"


def report(*told, since=-100, until=1000, pictures=(), left_out=(), **of):
    entries = chronicle.of(told)
    seen = tuple(each for each in entries if isinstance(each, SightingEntry))
    return Report(
        platform="main",
        since=at(since),
        until=at(until),
        camera=of.get("camera"),
        person=of.get("person"),
        totals=chronicle.totals(entries),
        sightings=seen,
        turns=tuple(each for each in entries if each not in seen),
        runs=chronicle.runs(entries),
        pictures=dict(pictures),
        left_out=left_out,
    )


def page(*told, **given):
    return "".join(event_page.page(report(*told, **given), at(2000)))


def parsed(text):
    """As XML, which forgives nothing: what is well-formed so is read alike by every browser."""
    return ET.fromstring(text.removeprefix("<!DOCTYPE html>"))


def words(element):
    return " ".join(" ".join(element.itertext()).split())


def classed(root, name):
    return [each for each in root.iter() if name in each.get("class", "").split()]


class Elements(HTMLParser):
    """Every element as a browser finds it, with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


EVERYTHING = (
    processor("Started", -20),
    sighting("ended", "a", 0, 48),
    sighting("ended", "b", 150, 155, similarity=97.25),
    sighting("ended", "c", 30, 290, person="bob", attention="allow"),
    sighting("ended", "d", 400, 420, person="bob", attention="allow", late=True),
    sighting("updated", "e", 520, 560),
    sighting("ended", "f", 200, 214, person=None, at_once=2, similarity=0.0),
    sighting("ended", "g", 60, 61, person=HOSTILE, camera="gate"),
    processor("Started", 40, camera="gate"),
    processor("Failed", 300, camera="gate", **FAILED),
    processor("Ended", 301, camera="gate", reason=HOSTILE),
)
PICTURES = {"b": Shown(JPEG, 640, 360, timedelta(milliseconds=-412))}
WHOLE = page(*EVERYTHING, pictures=PICTURES, left_out=("3 older sightings: a page holds 8.",))


def test_the_page_is_well_formed_and_has_each_part():
    root = parsed(WHOLE)
    assert [words(each) for each in root.iter("h2")] == ["Timeline", "Sightings", "Processors"]
    assert [words(each) for each in root.iter("h3")] == ["camera door", "camera gate"]
    assert len(classed(root, "card")) == 7
    assert len(root.findall(".//tbody/tr")) == 4
    assert "3 older sightings: a page holds 8." in words(root.find(".//footer"))


def test_nothing_is_fetched_and_nothing_runs():
    for tag, attributes in Elements(WHOLE).found:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "form", "a"}
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        for name, value in attributes.items():
            assert name not in {"href", "srcset", "action", "poster", "background"}
            assert name != "src" or value.startswith("data:image/jpeg;base64,")
    style = parsed(WHOLE).find(".//style").text
    assert not re.search(r"url\(|@import|https?:", style)


def test_a_page_with_something_foreign_in_it_would_be_found():
    """What the test above looks for, it finds."""
    found = Elements(WHOLE.replace("<h1>", '<a href="//x.example"><h1>')).found
    assert ("a", {"href": "//x.example"}) in found


def test_the_pages_policy_allows_its_own_style_and_pictures_alone():
    root = parsed(WHOLE)
    (policy,) = (each.get("content") for each in root.iter("meta") if each.get("http-equiv"))
    style = root.find(".//style").text
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{known}';"
        " base-uri 'none'; form-action 'none'"
    )


def test_a_hostile_name_stays_a_name():
    """It is read as it was written, but for what would steer whoever looks at it."""
    shown = HOSTILE.replace("\x1b", "\N{REPLACEMENT CHARACTER}")
    shown = shown.replace("\u202e", "\N{REPLACEMENT CHARACTER}")
    root = parsed(WHOLE)
    assert shown in [words(each) for each in root.iter("strong")]
    assert "\x1b" not in WHOLE
    assert "\u202e" not in WHOLE
    assert "<img onerror" not in WHOLE
    assert WHOLE.count("<script") == 0


@given(st.text(), st.text())
def test_whatever_is_told_the_page_is_well_formed(person, reason):
    told = (
        sighting("ended", "a", 0, 5, person=person or None),
        processor("Ended", 9, reason=reason),
    )
    root = parsed(page(*told, left_out=(person,)))
    assert len(classed(root, "card")) == 1
    "".join(event_page.page(report(*told), at(0))).encode()


def test_the_totals_say_how_much_it_was():
    root = parsed(WHOLE)
    (totals,) = classed(root, "totals")
    found = {words(each.find("dt")): words(each.find("dd")) for each in totals}
    assert found == {
        "sightings": "7",
        "alerts": "5",
        "people": "3",
        "cameras": "2",
        "told late": "1",
        "failures": "1",
    }


def card(*told, **given):
    (found,) = classed(parsed(page(*told, **given)), "card")
    names, values = ([words(each) for each in found.iter(tag)] for tag in ("dt", "dd"))
    return dict(zip(names, values, strict=True)), words(found.find(".//p[@class='who']")), found


def test_a_card_says_who_where_when_and_how_alike():
    rows, who, _ = card(EVERYTHING[2], pictures=PICTURES)
    assert who == "ada alert"
    assert rows == {
        "camera": "door",
        "seen": "1 Jan 2026, 00:02:30 to 00:02:35 UTC",
        "for": "5s, 6 frames",
        "best": "97.2 % at 00:02:35",
        "picture": "0.412 s before the best frame",
        "id": "b",
    }


@pytest.mark.parametrize(
    ("told", "who", "said"),
    [
        (EVERYTHING[4], "bob allow, told late", {"for": "20s, 21 frames"}),
        (EVERYTHING[5], "ada alert", {"seen": "1 Jan 2026, 00:08:40 UTC; no end told"}),
        (EVERYTHING[6], "2 unknown alert", {"best": "00:03:34"}),
        (
            sighting("ended", "h", -90_000, 10, frames=1),
            "ada alert",
            {
                "seen": "30 Dec 2025, 23:00:00 to 1 Jan 2026, 00:00:10 UTC",
                "for": "1d1h10s, 1 frame",
            },
        ),
    ],
    ids=["late", "no end", "strangers", "since before"],
)
def test_a_card_says_what_is_odd(told, who, said):
    rows, found, _ = card(told)
    assert found == who
    assert said.items() <= rows.items()


def test_a_picture_is_in_the_page_with_the_box_over_it():
    _, _, found = card(EVERYTHING[2], pictures=PICTURES)
    image = found.find(".//img")
    kind, _, data = image.get("src").partition(",")
    assert (kind, base64.b64decode(data)) == ("data:image/jpeg;base64", JPEG)
    assert (image.get("width"), image.get("height")) == ("640", "360")
    assert image.get("alt") == "ada at door, 1 Jan 2026, 00:02:35 UTC"
    for box in found.findall(".//figure/svg/rect"):
        sides = [float(box.get(side)) for side in ("x", "y", "width", "height")]
        assert sides == [40.0, 25.0, 20.0, 40.0]


def test_where_there_is_no_picture_it_says_so():
    _, _, found = card(EVERYTHING[1])
    assert found.find(".//img") is None
    assert [words(each) for each in classed(found, "none")] == ["no picture"]


def test_a_box_that_is_none_is_left_out():
    nowhere = {"left": float("nan"), "top": 0.1, "width": 0.1, "height": 0.1}
    told = sighting("ended", "b", 0, 5, best={**frame(5), "similarity": 90, "box": nowhere})
    _, _, found = card(told, pictures=PICTURES)
    assert found.find(".//figure/svg") is None


def test_a_failure_is_told_with_cause_and_cure():
    failed = parsed(WHOLE).findall(".//tbody/tr")[2]
    assert [words(each) for each in failed] == [
        "1 Jan 2026, 00:05:00",
        "gate",
        "gate",
        "failed",
        f"{FAILED['cause']} {FAILED['cure']}",
    ]


def test_where_nothing_was_told_the_page_says_so():
    root = parsed(page())
    assert words(classed(root, "nothing")[0]).startswith("Nothing was told")
    assert not list(root.iter("h2"))


def test_what_was_asked_for_is_said():
    root = parsed(page(EVERYTHING[1], camera="door", person="ada"))
    assert words(root.find(".//header/p")) == "platform main · camera door · person ada"


def lane(root, name):
    (found,) = (each for each in classed(root, "lane") if words(each).startswith(name))
    return found


def percent(element, name):
    return float(element.get(name).removesuffix("%"))


def test_a_bar_lies_where_the_sighting_was():
    """In per cent of the time that is shown; that is all of it where most of it is told of."""
    told = (sighting("ended", "a", 0, 250), sighting("ended", "b", 500, 1000))
    root = parsed(page(*told, since=0, until=1000))
    bars = classed(lane(root, "ada"), "bar")
    assert [(percent(bar, "x"), percent(bar, "width")) for bar in bars] == [(0, 25), (50, 50)]
    (gap,) = classed(lane(root, "ada"), "gap")
    assert (percent(gap, "x1"), percent(gap, "x2")) == (25, 50)
    assert "4m10s" in words(lane(root, "ada"))


@pytest.mark.parametrize(
    ("told", "marks"),
    [
        (EVERYTHING[1], {"alert"}),
        (EVERYTHING[3], {"allow"}),
        (EVERYTHING[4], {"allow", "late"}),
    ],
)
def test_a_bar_says_what_the_sighting_means(told, marks):
    bars = classed(parsed(page(told)), "bar")
    legend = 4
    assert [set(bar.get("class").split()) - {"bar"} for bar in bars[:-legend]] == [marks]


def test_one_whose_end_is_not_told_goes_on():
    going = classed(lane(parsed(page(EVERYTHING[5])), "ada"), "on")
    assert [percent(line, "x2") for line in going] == [100]
    assert not classed(lane(parsed(page(EVERYTHING[1])), "ada"), "on")


def test_a_run_is_a_line_and_its_failure_a_cross():
    told = (
        processor("Started", 250),
        processor("Failed", 500, **FAILED),
        processor("Started", 750, run=2),
    )
    found = lane(parsed(page(*told, since=0, until=800)), "processor")
    runs = [(percent(run, "x"), percent(run, "width")) for run in classed(found, "run")]
    assert runs == [(31.25, 31.25), (93.75, 6.25)]
    assert len(classed(found, "cross")) == 1


def test_where_little_of_the_time_was_told_of_that_is_shown():
    """And that it is not all is said."""
    told = (sighting("ended", "a", 0, 100),)
    shown = event_timeline.axis(report(*told, since=-86_400, until=1000))
    assert (shown.begins, shown.ends) == (at(-5), at(105))
    root = parsed(page(*told, since=-86_400, until=1000))
    assert "Shown is 31 Dec 2025, 23:59:55 to 1 Jan 2026, 00:01:45" in words(root)


def test_what_a_newer_version_tells_of_a_processor_is_shown_by_itself_too():
    """It says neither when the run began nor when it was over: that goes through all the time."""
    paused = processor("Paused", 500)
    shown = event_timeline.axis(report(paused, since=0, until=1000))
    assert (shown.begins, shown.ends) == (at(495), at(505))
    root = parsed(page(paused, since=0, until=1000))
    (run,) = classed(lane(root, "processor"), "run")
    assert (percent(run, "x"), percent(run, "width")) == (0, 100)
    (row,) = root.findall(".//tbody/tr")
    assert [words(each) for each in row][3] == "paused"


@given(
    st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(-1e5, 1e5), st.floats(0, 1e5), st.booleans()
)
def test_an_axis_is_within_what_was_asked_for(since, span, began, lasted, ended):
    """Also of sightings that began before it; no bar leaves it, and no word is cut off."""
    told = sighting("ended" if ended else "updated", "a", began, began + lasted)
    until = since + span + 1
    shown = event_timeline.axis(report(told, since=since, until=until))
    assert at(since) <= shown.begins < shown.ends <= at(until)
    ticks = shown.ticks()
    assert len(ticks) <= 8
    assert all(3 <= shown.at(tick) <= 97 for tick in ticks)
    assert 0 <= shown.at(at(began)) <= shown.at(at(began + lasted)) <= 100


@given(st.floats(1, 2e8))
def test_every_axis_has_round_times(span):
    """Of up to six years: whole seconds, few enough for a line, and two where there is room."""
    ticks = Axis(at(0), at(span)).ticks()
    assert len(ticks) <= 8
    assert span < 5 or len(ticks) >= 2
    assert all(tick.microsecond == 0 for tick in ticks)
