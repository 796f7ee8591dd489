"""Events as they are read again, of people who were shown to cameras and of processors' turns."""

from streamctl.core import events, heard
from streamctl.core.events import iso
from tests.core.scene import CAMERA, at
from tests.ops.messages_told import envelope

KINDS = {
    "started": events.SIGHTING_STARTED,
    "updated": events.SIGHTING_UPDATED,
    "ended": events.SIGHTING_ENDED,
}


def camera_arn(name):
    return CAMERA.replace("/door/", f"/{name}/")


def frame(second):
    time = iso(at(second))
    return {"fragment": f"{int(second):047d}", "offset_s": 0.0, "time": time, "producer_time": time}


def sighting(what, ident, began, last, **other):
    """One event of a sighting that began at one second and was last seen at another."""
    return heard.read(sighting_message(what, ident, began, last, **other))


def sighting_message(
    what, ident, began, last, *, person="ada", camera="door", similarity=90.0, **other
):
    """The same as its message."""
    look = {"left": 0.4, "top": 0.25, "width": 0.2, "height": 0.4}
    detail = {
        "schema": "1",
        "id": f"{ident}/{events.slug(KINDS[what])}",
        "camera": camera_arn(camera),
        "processor": camera,
        "run": f"{camera}@1",
        "time": iso(at(last)),
        "producer_time": iso(at(last)),
        "sighting": ident,
        "person": person,
        "attention": "alert",
        "started": frame(began),
        "frames": int(last - began) + 1,
        "best": {**frame(last), "similarity": similarity, "box": look},
        **({"ended": frame(last), "late": False} if what == "ended" else {}),
        **other,
    }
    return envelope(KINDS[what], detail)


def processor(what, second, **other):
    """A turn of a camera's processor: `what` is its kind's last words."""
    return heard.read(processor_message(what, second, **other))


def processor_message(what, second, *, camera="door", run=1, **other):
    """The same as its message."""
    kind = f"Processor {what}"
    detail = {
        "schema": "1",
        "id": f"{camera}-{run}/{events.slug(kind)}",
        "camera": camera_arn(camera),
        "processor": camera,
        "run": f"{camera}@{run}",
        "time": iso(at(second)),
        **other,
    }
    return envelope(kind, detail)


def read_again(made):
    """An event of the core's, as it is read out of a message."""
    return heard.read(envelope(made.type, made.detail))
