"""What a platform watches for: who is told of, at which camera, at what hours, and when again.

It is kept in the table and read with each batch of records, so it changes without a deployment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from streamctl.core.sightings import MEASURES, UNKNOWN, Measures


class Attention(StrEnum):
    """What a person means to those who listen: said in each event, but for those who are ignored."""

    ALLOW = "allow"
    ALERT = "alert"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Hours:
    """A stretch of each day in a time zone; one that ends before it begins spans midnight."""

    begin: time
    end: time
    zone: str
    """An IANA name: Europe/Berlin."""

    def hold(self, moment: datetime) -> bool:
        """Whether it is within them then. Where the zone is not known they never hold: so nobody is
        ignored by mistake, and no batch of records fails over it.
        """
        try:
            zone = ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return False
        there = moment.astimezone(zone).time()
        if self.begin <= self.end:
            return self.begin <= there < self.end
        return there >= self.begin or there < self.end


@dataclass(frozen=True, slots=True)
class Rule:
    """What holds for a person at a camera. Empty `camera`: at any; empty `person`: anybody known.

    A person called UNKNOWN is whoever matches nobody.
    """

    attention: Attention
    camera: str = ""
    person: str = ""
    hours: Hours | None = None

    def covers(self, camera: str, person: str, moment: datetime) -> bool:
        if self.camera and self.camera != camera:
            return False
        if self.person != person and (self.person or person == UNKNOWN):
            return False
        return self.hours is None or self.hours.hold(moment)


@dataclass(frozen=True, slots=True)
class Watch:
    """The whole of it. The first rule that covers a sighting says what it means."""

    rules: tuple[Rule, ...] = ()
    same: Mapping[str, str] | None = None
    """Names that are other names of a person, and that person's."""
    cooldown: timedelta = timedelta(0)
    """For so long after somebody who was told of was last seen, no other sighting of that person at
    that camera is told; one that lasts for longer is told when it is over."""
    measures: Measures = MEASURES

    def attention(self, camera: str, person: str, moment: datetime) -> Attention:
        """What a sighting that begins then means. `camera` is a name."""
        rule = self.covering(camera, person, moment)
        if rule is not None:
            return self.rules[rule].attention
        return Attention.IGNORE if person == UNKNOWN else Attention.ALERT

    def covering(self, camera: str, person: str, moment: datetime) -> int | None:
        """Which rule says so, counted from 0; None where none does."""
        covers = (rule.covers(camera, person, moment) for rule in self.rules)
        return next((number for number, so in enumerate(covers) if so), None)

    def called(self, person: str) -> str:
        """The name under which a person is told of."""
        return (self.same or {}).get(person, person)


WATCH: Final = Watch()
"""What holds where nothing was said: every known person is told of, and nobody else."""
