"""Change the policy that a lake keeps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from stedi_common.api.setup import given_key, is_given, settings_with
from stedi_common.engines.storage.locks import acquire, remove
from stedi_common.errors import CommitConflictError, LakeError, LakePropertiesError
from stedi_common.lake import Lake
from stedi_common.lake.catalog_file import opened_catalog
from stedi_common.lake.mark import Mark, mark_of
from stedi_common.lake.properties import LakeProperties, update_mark
from stedi_common.privacy.pseudonym import PseudonymKey, local_key
from stedi_common.settings import Settings


def properties_of(lake: Lake) -> LakeProperties:
    """The properties of a lake in a folder.

    Raises:
        LakeError: the lake is in S3, is not there, is a copy or was moved, or has no properties.
    """
    _expect_folder(lake)
    properties = LakeProperties.of(lake)
    if properties is None:
        lake.expect_exists()
        raise LakeError(
            f"lake {lake.location}: expected lake.json, got none: an earlier version made the lake",
            hint="stedi policy set makes it",
        )
    return properties


def set_policy(settings: Settings, lake: Lake) -> LakeProperties:
    """Change policy, environment and key of a lake to those that are given; the others stay. The change is recorded.

    The tables stay as they are until a run rebuilds them. A lake that has no properties, or has lost them, gets
    some; so does a new one.

    Args:
        settings: the settings; those that nobody gave stay the lake's.
        lake: the lake, in a folder.

    Returns:
        The properties of the lake.

    Raises:
        PolicyError: the environment does not allow the policy.
        CommitConflictError: another command is changing it, and takes a minute.
        KeyMissingError: there is no key where the settings say.
        LakePropertiesError: the properties cannot be understood, are not those that the catalog knows, or are lost and
            the environment is neither known nor given.
        LakeError: the lake is in S3, is a copy or was moved, its folder cannot be written to, or its catalog is lost.
    """
    _expect_folder(lake)
    with _alone(lake):
        return _set_policy(settings, lake)


def _set_policy(settings: Settings, lake: Lake) -> LakeProperties:
    properties, key = LakeProperties.unverified(lake), given_key(settings)
    if properties is None:
        return _create_properties(settings, lake, key)
    LakeProperties.of(lake)  # what is not given stays, so it must not come from another lake's file
    wanted = settings_with(settings, properties)
    changed = properties.changed(wanted.policy, wanted.environment, key.id if key else properties.key)
    if changed is not properties:
        changed.write(lake)
    update_mark(lake)
    return changed


@contextmanager
def _alone(lake: Lake) -> Iterator[None]:
    """Wait for another change of the policy: of two at once, the catalog would know the file of the first only."""
    if not lake.folder.is_dir():  # of two that make it, and the properties in it, one is the first
        yield
        return
    try:
        lock = acquire(f"{lake.location}/.policy", "lake", "change the policy on a host whose file system has locks")
    except TimeoutError:
        raise CommitConflictError(
            f"lake {lake.location}: another command is changing its policy", hint="run the command again"
        ) from None
    except OSError as error:
        raise lake.unwritable(error) from None
    try:
        yield
    finally:
        remove(lock)


def _create_properties(settings: Settings, lake: Lake, key: PseudonymKey | None) -> LakeProperties:
    """Create the properties of a lake that has none, or has lost them.

    What is not given is the default. The environment stays, if the catalog has it in its mark.
    """
    if lake.metadata_folders:
        lake.expect_exists()  # a lost catalog must be recovered first: it may have a mark
    mark = mark_of(lake)
    if mark:
        settings = _with_environment(settings, lake, mark)
    key = key or local_key(may_make=not lake.has_tables)
    properties = LakeProperties.new(lake, settings.policy, settings.environment, key.id)
    if mark:
        properties = replace(
            properties, id=mark.ids[0] if mark.ids else properties.id, location=mark.location or properties.location
        )
        # Before the file: if this is killed in between, the file is still missing.
        with opened_catalog(lake) as catalog:
            properties.mark().write(catalog, lake)
    created = properties.create(lake, settings.umask)
    update_mark(lake)
    return created


def _with_environment(settings: Settings, lake: Lake, mark: Mark) -> Settings:
    """The settings with the environment of the lake, unless another one is given."""
    if is_given(settings, "environment"):
        return settings
    if mark.environment is None:
        raise LakePropertiesError(
            f"lake {lake.location}: expected --environment, got none: the catalog has no environment of the lake",
            hint="stedi policy set --environment prod, or the environment that the lake was created with",
        )
    return replace(settings, environment=mark.environment)


def _expect_folder(lake: Lake) -> None:
    if not lake.is_local:
        raise LakeError(
            f"lake {lake.location}: expected a lake in a folder, got one in S3",
            hint="its policy is the variable `policy` of the environment's Terraform configuration",
        )
