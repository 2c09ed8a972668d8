"""What a lake knows about itself: its id, its place, its policy, its environment, and the id of its pseudonym key.

They are in `lake.json`, which the command that makes the lake writes. Every later command compares them with what it is
given. Only `stedi policy set` and `stedi relocate` change them. The catalog has a mark of them (`mark.py`), so
that a lost `lake.json` is noticed: a lake that an earlier version made has neither the file nor a mark.

A lake in S3 has no such file: Terraform says what its jobs are given.
"""

from __future__ import annotations

import errno
import json
import stat
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Self

from stedi_common.errors import LakeError, LakePropertiesError, PolicyError
from stedi_common.files import overwritten, write_new
from stedi_common.lake.catalog_file import opened_catalog
from stedi_common.lake.location import RECOVER, Lake
from stedi_common.lake.mark import Mark, history_digests, mark_in, mark_of
from stedi_common.rules.policy import Policy, is_production

#: The file in the folder of the lake.
FILE = "lake.json"
#: The version of the file's format.
FORMAT = 1

_STATE_AGAIN = "state the policy of the lake again: stedi policy set"


@dataclass(frozen=True)
class Change:
    """A change of the policy: when it was made (UTC), and policy, environment and id of the key from then on."""

    at: str
    policy: str
    environment: str
    key: str


@dataclass(frozen=True)
class LakeProperties:
    """The properties of a lake.

    Attributes:
        id: the id of the lake. A copy that is relocated has another one.
        location: the real path of its folder.
        policy: the policy of all its tables.
        environment: the environment. `prod` and `production` accept only the default policy.
        key: the id of the pseudonym key.
        changes: the policies that it has had, oldest first. The last one is the current one.
    """

    id: str
    location: str
    policy: Policy
    environment: str
    key: str
    changes: tuple[Change, ...] = ()

    @classmethod
    def new(cls, lake: Lake, policy: Policy, environment: str, key: str) -> Self:
        """The properties of a new lake."""
        return cls(uuid.uuid4().hex, lake.location, policy, environment, key).changed(policy, environment, key)

    @classmethod
    def of(cls, lake: Lake) -> Self | None:
        """The properties of the lake. None if it is in S3, is not there, or was made by a version without them.

        Raises:
            LakePropertiesError: the file cannot be read or understood, or the mark does not accept it.
            LakeError: the lake is not at the place where it was made, or its catalog cannot be read.
        """
        found = cls.unverified(lake)
        mark = mark_of(lake)
        if mark is None or (found and found.is_accepted_by(mark)):
            return found
        if found and found.disowns(mark):
            raise LakePropertiesError(
                f"lake {lake.location}: expected its own catalog in catalog.db, got that of another lake", hint=RECOVER
            )
        raise unknown_properties(lake, found)

    @classmethod
    def unverified(cls, lake: Lake) -> Self | None:
        """The properties as `of` returns them, without comparing them with the mark.

        Raises:
            LakePropertiesError: the file cannot be read or understood.
            LakeError: the lake is not at the place where it was made.
        """
        found = cls.at(lake)
        if found and found.location != lake.location:
            raise LakeError(
                f"lake {lake.location}: expected the lake at {found.location}, as lake.json says, "
                "got a copy or a lake that was moved",
                hint="stedi relocate writes this folder into its files",
            )
        return found

    @classmethod
    def at(cls, lake: Lake) -> Self | None:
        """The properties in the lake's folder, wherever the lake was made. Raises LakePropertiesError as `of` does."""
        if not lake.is_local:
            return None
        try:
            return cls._parsed(json.loads((lake.folder / FILE).read_text(encoding="utf-8")))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            is_refused = error.errno in {errno.EACCES, errno.EPERM}
            raise LakePropertiesError(
                f"lake {lake.location}: expected to read {FILE}, got: {error.strerror}",
                hint="let this user read it" if is_refused else "name another folder by --lake",
            ) from None
        except (ValueError, TypeError, KeyError, AttributeError, PolicyError):
            raise LakePropertiesError(
                f"lake {lake.location}: expected the properties of a lake in {FILE}, got something else",
                hint=f"restore the file from a backup, or remove it and {_STATE_AGAIN}",
            ) from None

    def is_accepted_by(self, mark: Mark) -> bool:
        """Whether these properties are those of the mark, or were changed from them."""
        return mark.accepts(self.id, self._histories())

    def disowns(self, mark: Mark) -> bool:
        """Whether the mark is that of another lake: it does not accept these properties, and names another folder."""
        return not self.is_accepted_by(mark) and mark.location not in {None, self.location}

    def mark(self, *further_ids: str) -> Mark:
        """The mark of these properties.

        Args:
            further_ids: other ids that `lake.json` may have.
        """
        return Mark((self.id, *further_ids), self.location, self.environment, self._histories()[-1])

    def _histories(self) -> list[str]:
        return history_digests([(each.at, each.policy, each.environment, each.key) for each in self.changes])

    def expect(self, policy: Policy, environment: str) -> None:
        """Raise PolicyError unless this is the policy of the lake, and the environment as strict as the lake's."""
        if policy == self.policy and is_production(environment) == is_production(self.environment):
            return
        raise PolicyError(
            f"policy: expected that of the lake, {self.policy} environment={self.environment}, "
            f"got {policy} environment={environment}",
            hint="leave the options out, or change the policy of the lake: stedi policy set",
        )

    def changed(self, policy: Policy, environment: str, key: str) -> Self:
        """The properties with this policy, environment and key. If one of them differs, the change is recorded."""
        if self.changes and (policy, environment, key) == (self.policy, self.environment, self.key):
            return self
        now = datetime.now(UTC).isoformat(timespec="seconds")
        changes = (*self.changes, Change(now, str(policy), environment, key))
        return replace(self, policy=policy, environment=environment, key=key, changes=changes)

    def relocated(self, lake: Lake, *, as_copy: bool) -> Self:
        """The properties of the lake in another folder; a copy gets an id of its own."""
        return replace(self, location=lake.location, id=uuid.uuid4().hex if as_copy else self.id)

    def create(self, lake: Lake, umask: int = 0o077) -> Self:
        """Write the file, unless another process was first, and make the folder of the lake.

        Args:
            lake: the lake.
            umask: the umask of the folder and the file.

        Returns:
            What the file says then.

        Raises:
            LakeError: the folder cannot be made or written to.
        """
        lake.make_folder(umask)
        try:
            write_new(lake.folder / FILE, self._text(), 0o666 & ~umask)
        except OSError as error:
            raise lake.unwritable(error) from None
        return type(self).of(lake) or self

    def write(self, lake: Lake) -> None:
        """Overwrite the file. Raises LakeError if it cannot be written."""
        file = lake.folder / FILE
        try:
            with overwritten(file, stat.S_IMODE(file.stat().st_mode)) as draft:
                draft.write_text(self._text(), encoding="utf-8")
        except OSError as error:
            raise lake.unwritable(error) from None

    def _text(self) -> str:
        return json.dumps(self._document(), indent=2) + "\n"

    def public(self) -> dict[str, Any]:
        """The properties as JSON has them, without serial numbers."""
        serials = len(self.policy.defective_serials)
        return {**self._document(), "defective_serials": serials}

    def _document(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "id": self.id,
            "location": self.location,
            "consent": self.policy.consent,
            "pairing": self.policy.pairing,
            "defective_serials": sorted(self.policy.defective_serials),
            "environment": self.environment,
            "key": self.key,
            "changes": [change.__dict__ for change in self.changes],
        }

    @classmethod
    def _parsed(cls, document: Mapping[str, Any]) -> Self:
        if document["format"] != FORMAT:
            raise ValueError
        serials = frozenset(map(_as_text, document["defective_serials"]))
        names = ("consent", "pairing", "environment")
        consent, pairing, environment = (_as_text(document[name]) for name in names)
        parsed = cls(
            id=_as_text(document["id"]),
            location=_as_text(document["location"]),
            policy=Policy.checked(consent, pairing, serials, environment),
            environment=environment,
            key=_as_text(document["key"]),
            changes=tuple(map(_change, document["changes"])),
        )
        last = parsed.changes[-1:]
        if [(each.policy, each.environment, each.key) for each in last] != [
            (str(parsed.policy), environment, parsed.key)
        ]:
            raise ValueError  # edited by hand: only `changed` adds changes
        return parsed


def update_mark(lake: Lake, *, creates: bool = False) -> None:
    """Write the mark of the current `lake.json` into the catalog: before the lake gets tables, and after each change.

    Nothing is written if there is no such file, or the mark does not accept it: then every command is refused.

    Args:
        lake: the lake. One in S3 has no properties.
        creates: whether the catalog is created if the lake has none.

    Raises:
        LakeError: the catalog cannot be read or written.
    """
    if not (creates or lake.exists):
        return
    if _mark_to_write(lake, mark_of(lake)) is None:
        return
    with opened_catalog(lake, creates=creates) as catalog:
        catalog.execute("BEGIN IMMEDIATE")  # nobody else writes now, so the last mark is that of the file
        if mark := _mark_to_write(lake, mark_in(catalog)):
            mark.write(catalog, lake)


def _mark_to_write(lake: Lake, known: Mark | None) -> Mark | None:
    """The mark of the current `lake.json`; None if the catalog has it, or has one that does not accept the file."""
    try:
        found = LakeProperties.at(lake)
    except LakePropertiesError:
        return None
    if found is None or found.mark() == known:
        return None
    return found.mark() if known is None or found.is_accepted_by(known) else None


def unknown_properties(lake: Lake, found: LakeProperties | None) -> LakePropertiesError:
    """The error of a lake with a `lake.json` that the mark does not accept, or without one."""
    expected = f"lake {lake.location}: expected {FILE} as its catalog knows it"
    if found is None:
        return LakePropertiesError(f"{expected}, got none", hint=f"restore the file from a backup, or {_STATE_AGAIN}")
    return LakePropertiesError(
        f"{expected}, got that of another lake or of an earlier time",
        hint=f"restore the file from a backup, or remove it and {_STATE_AGAIN}",
    )


def _change(document: Mapping[str, Any]) -> Change:
    return Change(**{name: _as_text(value) for name, value in document.items()})


def _as_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
