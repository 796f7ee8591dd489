"""A report as one page of HTML, enough by itself: no script, and nothing that is fetched.

What may be loaded or run is said in the page's own policy, which browsers hold it to: pictures that
are in the page, and its one style sheet by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Iterator
from datetime import datetime
from importlib import resources

from streamctl import __version__
from streamctl.cli import event_timeline
from streamctl.cli.event_words import length, offset, text, when
from streamctl.core.chronicle import ProcessorEntry, SightingEntry
from streamctl.core.records import Box
from streamctl.ops.reporting import Report, Shown


def page(report: Report, made: datetime) -> Iterator[str]:
    """The page, piece by piece: pictures make it long."""
    yield from _head(report)
    yield from _top(report)
    if report.sightings or report.turns:
        yield "<h2>Timeline</h2>"
        yield f'<p class="note">{text(_shown_time(report))}</p>'
        yield from event_timeline.timeline(report)
        yield event_timeline.legend()
    else:
        yield '<p class="nothing soft">Nothing was told of this time, or nothing of it is kept.</p>'
    if report.sightings:
        yield '<h2>Sightings</h2><div class="cards">'
        for entry in report.sightings:
            yield from _card(entry, report.pictures.get(entry.id))
        yield "</div>"
    if report.turns:
        yield from _turns(report.turns)
    yield from _foot(report, made)


def _head(report: Report) -> Iterator[str]:
    style = (resources.files("streamctl") / "cli" / "event_page.css").read_text(encoding="utf-8")
    known = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{known}';"
        " base-uri 'none'; form-action 'none'"
    )
    yield "<!DOCTYPE html>\n"
    yield '<html lang="en"><head><meta charset="utf-8"/>'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}"/>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    yield '<meta name="referrer" content="no-referrer"/><meta name="robots" content="noindex"/>'
    yield f"<title>{text(_title(report))}</title>"
    yield f"<style>{style}</style></head><body>\n"


def _title(report: Report) -> str:
    return f"Sightings of platform {report.platform}, {when(report.since)} UTC"


def _top(report: Report) -> Iterator[str]:
    of = [f"platform {report.platform}"]
    of += [f"camera {report.camera}"] if report.camera else []
    of += [f"person {report.person}"] if report.person else []
    yield f'<header><p class="note">{text(" · ".join(of))}</p><h1>Who was seen</h1>'
    yield f'<p class="span soft">{_time(report.since)} to {_time(report.until, report.since)} UTC,'
    yield f" {length(report.until - report.since)}</p>"
    found = report.totals
    counts = (
        ("sightings", found.sightings, ""),
        ("alerts", found.alerts, "alert"),
        ("people", found.people, ""),
        ("cameras", found.cameras, ""),
        ("told late", found.late, ""),
        ("failures", found.failures, "alert"),
    )
    yield '<dl class="totals">'
    for name, count, kind in counts:
        marked = f' class="{kind}"' if count and kind else ""
        yield f"<div><dt>{name}</dt><dd{marked}>{count:,}</dd></div>"
    yield "</dl></header>\n"


def _shown_time(report: Report) -> str:
    """What the timeline shows of the time, where that is not all of it."""
    axis = event_timeline.axis(report)
    if (axis.begins, axis.ends) == (report.since, report.until):
        return "Times are UTC."
    begins, ends = when(axis.begins), when(axis.ends, axis.begins)
    return f"Times are UTC. Shown is {begins} to {ends}; of the rest nothing was told."


def _card(entry: SightingEntry, picture: Shown | None) -> Iterator[str]:
    event = entry.event
    yield '<article class="card">'
    yield from _picture(entry, picture)
    yield '<div class="told"><p class="who">'
    yield f"<strong>{text(entry.who)}</strong>"
    kind = "alert" if event.attention == "alert" else "allow"
    late = ", told late" if event.late else ""
    yield f'<span class="mark {kind}">{text(event.attention)}{late}</span></p><dl>'
    yield _row("camera", text(event.camera))
    until = f" to {_time(entry.last, entry.time)}" if entry.is_over else ""
    on = "" if entry.is_over else "; no end told"
    yield _row("seen", f"{_time(entry.time)}{until} UTC{on}")
    frames = "1 frame" if event.frames == 1 else f"{event.frames:,} frames"
    yield _row("for", f"{length(entry.length)}, {frames}")
    like = f"{event.best.similarity:.1f} % at " if event.person else ""
    yield _row("best", like + _time(event.best.time, entry.time))
    if picture is not None:
        yield _row("picture", offset(picture.apart))
    if entry.parts:
        yield _row("parts", " ".join(f"<code>{text(each)}</code>" for each in entry.parts))
    yield _row("id", f"<code>{text(entry.id)}</code>")
    yield "</dl></div></article>\n"


def _picture(entry: SightingEntry, picture: Shown | None) -> Iterator[str]:
    if picture is None:
        yield '<div class="picture none">no picture</div>'
        return
    said = text(f"{entry.who} at {entry.event.camera}, {when(entry.event.best.time)} UTC")
    yield f'<figure class="picture"><img alt="{said}" width="{picture.width}"'
    yield f' height="{picture.height}" src="data:image/jpeg;base64,'
    yield base64.b64encode(picture.jpeg).decode()
    yield f'"/>{_box(entry.event.best.box)}</figure>'


def _box(box: Box) -> str:
    """Over the picture, from the ratios, whatever size the picture is shown in."""
    sides = (box.left, box.top, box.width, box.height)
    if not all(map(math.isfinite, sides)):
        return ""
    x, y, width, height = (f"{side * 100:.3f}" for side in sides)
    rect = f'x="{x}" y="{y}" width="{width}" height="{height}" vector-effect="non-scaling-stroke"/>'
    return (
        '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect class="under" {rect}<rect class="over" {rect}</svg>'
    )


def _turns(turns: Iterable[ProcessorEntry]) -> Iterator[str]:
    yield "<h2>Processors</h2>"
    yield '<div class="scroll"><table><thead><tr><th>time, UTC</th><th>camera</th><th>processor</th>'
    yield "<th>what</th><th>why, and what to do</th></tr></thead><tbody>"
    for each in turns:
        marked = ' class="alert"' if each.failed else ""
        yield f'<tr><td class="time">{_time(each.time)}</td><td>{text(each.event.camera)}</td>'
        yield f"<td>{text(each.event.processor)}</td><td{marked}>{text(each.what)}</td>"
        cure = each.said("cure")
        yield f'<td class="why">{text(each.why)}{f"<br/>{text(cure)}" if cure else ""}</td></tr>\n'
    yield "</tbody></table></div>"


def _foot(report: Report, made: datetime) -> Iterator[str]:
    yield '<footer class="note">'
    if report.left_out:
        yield "<p>Left out:</p><ul>"
        yield from (f"<li>{text(each)}</li>" for each in report.left_out)
        yield "</ul>"
    yield f"<p>Made by streamctl {__version__} at {_time(made)} UTC, of what platform"
    yield f" {text(report.platform)} keeps. A picture is of the nearest stored frame; the box is the"
    yield " best frame's. This page shows people: keep it as you keep those pictures.</p>"
    yield "</footer></body></html>\n"


def _row(name: str, value: str) -> str:
    return f"<dt>{name}</dt><dd>{value}</dd>"


def _time(time: datetime, beside: datetime | None = None) -> str:
    exact = time.isoformat(timespec="milliseconds")
    return f'<time datetime="{exact}">{when(time, beside)}</time>'
