"""From settings to what a run needs: the lake, the pseudonym key, the settings of the run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stedi_common import settings as sources
from stedi_common.instants import EPOCH
from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey, local_key, read_key, secret_key
from stedi_common.records import Drop, stored
from stedi_common.runs.run_all import RunSettings
from stedi_common.settings import Settings


def load_settings(given: Mapping[str, Any] | None = None, defaults: Mapping[str, Any] | None = None) -> Settings:
    """The settings; see `settings.load`. The file may be an object in S3."""
    return sources.load(given, defaults=defaults, read=_content)


def lake_of(settings: Settings) -> Lake:
    """The lake."""
    return Lake.at(settings.lake, settings.database_prefix)


def key_of(settings: Settings, lake: Lake, *, must_exist: bool = False) -> PseudonymKey:
    """The pseudonym key. One is made only for a lake without tables: another would rename every pseudonym.

    Args:
        settings: where the key is; by default this user's own one is taken.
        lake: whose key it is.
        must_exist: the lake must be there.

    Raises:
        KeyMissingError: there is no key where the settings say.
        LakeError: there is no lake, and `must_exist`.
    """
    key = None
    if settings.pseudonym_key_file:
        key = read_key(settings.pseudonym_key_file)
    elif settings.pseudonym_key_secret:
        key = secret_key(settings.pseudonym_key_secret)
    if must_exist:
        lake.expect_exists()
    return key or local_key(may_make=not lake.has_tables)


def run_settings_of(settings: Settings, lake: Lake, *, must_exist: bool = False) -> RunSettings:
    """What a run needs. Raises as `Settings.policy` and `key_of` do."""
    policy = settings.policy
    return RunSettings(policy, key_of(settings, lake, must_exist=must_exist), settings.reader, settings.rebuild)


def _content(name: str) -> bytes:
    if name.startswith("s3://"):
        return b"".join(stored(Drop(name, name, 0, EPOCH)))
    return sources.read_file(name)
