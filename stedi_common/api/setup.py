"""From settings to what a run needs: the lake, the policy, the pseudonym key, the settings of the run."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from stedi_common import project
from stedi_common import settings as sources
from stedi_common.errors import KeyMissingError, LakePropertiesError, PolicyError, StediError
from stedi_common.lake import Lake
from stedi_common.lake.properties import LakeProperties
from stedi_common.privacy.pseudonym import KEY_BYTES, PseudonymKey, local_key, read_key, secret_key
from stedi_common.rules.policy import Policy
from stedi_common.runs.settings import RunSettings
from stedi_common.settings import Settings

#: The settings that make the policy.
POLICY = ("consent", "pairing", "defective_serials")
DEFAULTS = Settings()


def load_settings(given: Mapping[str, Any] | None = None) -> Settings:
    """The settings; see `settings.load`. The file may be an object in S3."""
    return sources.load(given, read=_content)


def lake_of(settings: Settings, *, for_run: bool = False) -> Lake:
    """The lake.

    Args:
        settings: the settings.
        for_run: whether the lake is opened for a run, which deletes withdrawn rows even if the properties of the lake
            cannot be read, or the user's project is broken.

    Raises:
        ContractError, ProjectError: the project is broken.
        LakePropertiesError: the properties of the lake cannot be read.
        LakeError: the lake is a copy, or was moved.
    """
    if not for_run:
        project.expect_usable()
    lake = Lake.at(settings.lake, settings.database_prefix, settings.catalog)
    _, unknown = _properties_of(lake)
    if unknown and not for_run:
        raise unknown
    return lake


def _properties_of(lake: Lake) -> tuple[LakeProperties | None, LakePropertiesError | None]:
    """The properties, or why they cannot be read. Raises LakeError if the lake is a copy, or was moved."""
    try:
        return LakeProperties.of(lake), None
    except LakePropertiesError as error:
        return None, error


def expect_policy(settings: Settings, properties: LakeProperties | None) -> None:
    """Raise PolicyError unless the settings give the policy of the lake, if the lake keeps any."""
    if properties:
        wanted = settings_with(settings, properties)
        properties.expect(wanted.policy, wanted.environment)


def settings_with(settings: Settings, properties: LakeProperties) -> Settings:
    """The settings; those that nobody gave are the lake's."""
    lakes = {**{name: getattr(properties.policy, name) for name in POLICY}, "environment": properties.environment}
    return replace(settings, **{name: value for name, value in lakes.items() if not is_given(settings, name)})


def is_given(settings: Settings, name: str) -> bool:
    """Whether the setting was given, and not left at its default."""
    # A program may construct settings, which then know nothing of what was given.
    return name in settings.explicit or getattr(settings, name) != getattr(DEFAULTS, name)


def expect_key(key: PseudonymKey, properties: LakeProperties | None) -> None:
    """Raise KeyMissingError unless it is the key of the lake, if the lake keeps any."""
    if properties and key.id != properties.key:
        raise KeyMissingError(
            f"pseudonym key: expected the key of the lake, {properties.key[:8]}…, got {key.id[:8]}…",
            hint="give the lake's key with --key-file, or change it with stedi policy set: every pseudonym changes",
        )


def given_key(settings: Settings) -> PseudonymKey | None:
    """The key that the settings name; None if they name none. Raises KeyMissingError if it is not there."""
    if settings.pseudonym_key_file:
        return read_key(settings.pseudonym_key_file)
    return secret_key(settings.pseudonym_key_secret) if settings.pseudonym_key_secret else None


def key_of(settings: Settings, lake: Lake) -> PseudonymKey:
    """The pseudonym key of a lake that is there.

    Raises:
        KeyMissingError: there is no key where the settings say, or it is not the key of the lake.
        LakePropertiesError: the properties of the lake cannot be read.
    """
    key = given_key(settings) or local_key(may_make=False)
    expect_key(key, LakeProperties.of(lake))
    return key


def run_settings_of(settings: Settings, lake: Lake, *, must_exist: bool = False, creates: bool = False) -> RunSettings:
    """What a run needs. Unless policy and key are the lake's, and the project is whole, it only deletes withdrawn rows.

    Args:
        settings: the settings.
        lake: the lake.
        must_exist: the lake must be there.
        creates: whether the run makes the lake if it is not there. Then the lake keeps this policy and this key.

    Raises:
        PolicyError: the environment does not allow the policy.
        KeyMissingError: there is no key where the settings say, and the lake has no tables.
        ContractError, ProjectError: the project is broken, and the lake has no tables.
        LakeError: there is no lake, and `must_exist`.
        UnusablePathError: one of the lake and the landing folder is in the other, and `creates`.
    """
    if creates:
        lake.expect_apart_from(settings.landing)
    has_tables = lake.has_tables
    if not has_tables:
        project.expect_usable()
    properties, unknown = _properties_of(lake)
    policy = properties.policy if properties else _policy_without_properties(settings, has_tables=has_tables)
    if unknown:
        policy = Policy()
    is_new = properties is None and not unknown and not has_tables
    key, no_key = _key_and_refusal(settings, lake, may_make=is_new, must_exist=must_exist)
    if creates and is_new and lake.is_local:
        # Another process may have made it in between, with another policy.
        properties = LakeProperties.new(lake, policy, settings.environment, key.id).create(lake, settings.umask)
        policy = properties.policy
    other_key = no_key or _refusal(expect_key, key, properties)
    return RunSettings(
        policy,
        key,
        settings.reader,
        settings.rebuild,
        refusal=project.failure()
        or unknown
        or other_key
        or settings.unread_serials
        or _refusal(expect_policy, settings, properties),
        landing_refusal=project.failure() or unknown or other_key,
    )


def _policy_without_properties(settings: Settings, *, has_tables: bool) -> Policy:
    """The policy of the settings. If its list cannot be read, the strictest, for tables that do not name their own."""
    if settings.unread_serials and has_tables:
        return Policy()
    return settings.policy


def _key_and_refusal(
    settings: Settings, lake: Lake, *, may_make: bool, must_exist: bool
) -> tuple[PseudonymKey, StediError | None]:
    """The key. If a lake with tables has none where the settings say, any other one, and the error."""
    try:
        key = given_key(settings)
        if must_exist:
            lake.expect_exists()
        # One is made only for a lake without tables: another would rename every pseudonym.
        return key or local_key(may_make=may_make), None
    except KeyMissingError as error:
        if not lake.has_tables:
            raise
        # Withdrawn rows are deleted all the same. Under this key no pair is known, so all pairs of a day are deleted.
        return PseudonymKey(secrets.token_bytes(KEY_BYTES)), error


def _refusal(expect: Callable[..., object], *arguments: Any) -> StediError | None:
    try:
        expect(*arguments)
    except (PolicyError, KeyMissingError) as error:
        return error
    return None


def _content(name: str) -> bytes:
    if name.startswith("s3://"):
        from stedi_common.instants import EPOCH  # noqa: PLC0415 - the reader of drops takes long to import
        from stedi_common.records import Drop, stored  # noqa: PLC0415

        return b"".join(stored(Drop(name, name, 0, EPOCH)))
    return sources.read_file(name)
