"""People, devices, walks and consents, before they are written as drops."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from stedi_common.generate.people import Devices, People, some_people, their_devices
from stedi_common.generate.plan import Plan
from stedi_common.generate.records import Consents, Records, some_consents, their_records
from stedi_common.generate.sessions import Sessions, some_sessions


@dataclass(frozen=True)
class World:
    """The people of a plan, what they walked with and when, and what they said about it."""

    people: People
    devices: Devices
    sessions: Sessions
    consents: Consents
    records: Records

    @classmethod
    def of(cls, plan: Plan) -> Self:
        """The plan's world. Raises StediError if so few people cannot walk that much."""
        people = some_people(plan)
        devices = their_devices(plan, people)
        sessions = some_sessions(plan, people, devices)
        consents = some_consents(plan, people, sessions)
        return cls(people, devices, sessions, consents, their_records(plan, people, devices, consents))
