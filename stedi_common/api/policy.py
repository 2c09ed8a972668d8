"""Change the policy that a lake keeps."""

from __future__ import annotations

from stedi_common.api.setup import given_key, settings_with
from stedi_common.errors import LakeError
from stedi_common.lake import Lake
from stedi_common.lake.properties import LakeProperties
from stedi_common.privacy.pseudonym import local_key
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

    The tables stay as they are until a run rebuilds them. A lake that has no properties gets some; so does a new one.

    Args:
        settings: the settings; those that nobody gave stay the lake's.
        lake: the lake, in a folder.

    Returns:
        The properties of the lake.

    Raises:
        PolicyError: the environment does not allow the policy.
        KeyMissingError: there is no key where the settings say.
        LakeError: the lake is in S3, is a copy or was moved, or its folder cannot be written to.
    """
    _expect_folder(lake)
    properties, key = LakeProperties.of(lake), given_key(settings)
    if properties is None:
        policy, key = settings.policy, key or local_key(may_make=not lake.has_tables)
        return LakeProperties.new(lake, policy, settings.environment, key.id).create(lake, settings.umask)
    wanted = settings_with(settings, properties)
    changed = properties.changed(wanted.policy, wanted.environment, key.id if key else properties.key)
    if changed is not properties:
        changed.write(lake)
    return changed


def _expect_folder(lake: Lake) -> None:
    if not lake.is_local:
        raise LakeError(
            f"lake {lake.location}: expected a lake in a folder, got one in S3",
            hint="its policy is the variable `policy` of the environment's Terraform configuration",
        )
