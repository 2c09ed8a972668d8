"""Lake Formation: settings, resources, LF-tags, permissions, data cells filters, opt-ins."""

from typing import Any

import pytest
from botocore.client import BaseClient
from conftest import random_name, refused

ANALYST = {"DataLakePrincipalIdentifier": "arn:aws:iam::000000000000:role/analyst"}
STEWARD = {"DataLakePrincipalIdentifier": "arn:aws:iam::000000000000:role/steward"}


@pytest.fixture
def table(glue: BaseClient, database: str) -> dict[str, str]:
    columns = [{"Name": "id", "Type": "int"}, {"Name": "email", "Type": "string"}]
    glue.create_table(DatabaseName=database, TableInput={"Name": "t", "StorageDescriptor": {"Columns": columns}})
    return {"DatabaseName": database, "Name": "t"}


@pytest.fixture
def tag(lakeformation: BaseClient, name: str) -> str:
    lakeformation.create_lf_tag(TagKey=name, TagValues=["public", "private"])
    return name


# settings


def test_settings_are_put_and_read(lakeformation: BaseClient) -> None:
    before = lakeformation.get_data_lake_settings()["DataLakeSettings"]
    after = {"DataLakeAdmins": [STEWARD], "CreateTableDefaultPermissions": [], "Parameters": {"SET_CONTEXT": "TRUE"}}
    lakeformation.put_data_lake_settings(DataLakeSettings=after)
    found = lakeformation.get_data_lake_settings()["DataLakeSettings"]
    lakeformation.put_data_lake_settings(DataLakeSettings=before)
    assert {name: found[name] for name in after} == after


# resources


def test_a_location_is_registered_described_updated_and_deregistered(lakeformation: BaseClient, name: str) -> None:
    location, role = f"arn:aws:s3:::{name}", "arn:aws:iam::000000000000:role/lake"
    lakeformation.register_resource(ResourceArn=location, RoleArn=role, HybridAccessEnabled=True)
    with refused("AlreadyExistsException"):
        lakeformation.register_resource(ResourceArn=location, RoleArn=role)
    found = lakeformation.describe_resource(ResourceArn=location)["ResourceInfo"]
    assert (found["RoleArn"], found["HybridAccessEnabled"]) == (role, True)
    lakeformation.update_resource(ResourceArn=location, RoleArn=f"{role}2", HybridAccessEnabled=False)
    found = lakeformation.describe_resource(ResourceArn=location)["ResourceInfo"]
    assert (found["RoleArn"], found["HybridAccessEnabled"]) == (f"{role}2", False)
    lakeformation.deregister_resource(ResourceArn=location)
    for operation in (lakeformation.describe_resource, lakeformation.deregister_resource):
        with refused("EntityNotFoundException"):
            operation(ResourceArn=location)


def test_a_location_has_the_service_role_unless_told(lakeformation: BaseClient, name: str) -> None:
    lakeformation.register_resource(ResourceArn=f"arn:aws:s3:::{name}", UseServiceLinkedRole=True)
    found = lakeformation.describe_resource(ResourceArn=f"arn:aws:s3:::{name}")["ResourceInfo"]
    assert found["RoleArn"].endswith("AWSServiceRoleForLakeFormationDataAccess")


def test_locations_come_in_pages(lakeformation: BaseClient) -> None:
    locations = {f"arn:aws:s3:::{random_name()}" for _ in range(3)}
    for location in locations:
        lakeformation.register_resource(ResourceArn=location, UseServiceLinkedRole=True)
    pages = [lakeformation.list_resources(MaxResults=2)]
    while token := pages[-1].get("NextToken"):
        pages.append(lakeformation.list_resources(MaxResults=2, NextToken=token))
    assert all(len(page["ResourceInfoList"]) <= 2 for page in pages)
    assert locations <= {each["ResourceArn"] for page in pages for each in page["ResourceInfoList"]}


# LF-tags


def test_a_tag_is_created_read_updated_and_deleted(lakeformation: BaseClient, tag: str) -> None:
    with refused("InvalidInputException"):
        lakeformation.create_lf_tag(TagKey=tag, TagValues=["other"])
    lakeformation.update_lf_tag(TagKey=tag, TagValuesToAdd=["secret"], TagValuesToDelete=["public"])
    assert lakeformation.get_lf_tag(TagKey=tag)["TagValues"] == ["private", "secret"]
    with refused("InvalidInputException"):
        lakeformation.update_lf_tag(TagKey=tag, TagValuesToDelete=["public"])
    lakeformation.delete_lf_tag(TagKey=tag)
    for operation in (lakeformation.get_lf_tag, lakeformation.delete_lf_tag):
        with refused("EntityNotFoundException"):
            operation(TagKey=tag)


def test_tags_are_listed(lakeformation: BaseClient, tag: str) -> None:
    pages = lakeformation.get_paginator("list_lf_tags").paginate(PaginationConfig={"PageSize": 1})
    assert {"TagKey": tag, "TagValues": ["public", "private"]} in [
        {"TagKey": each["TagKey"], "TagValues": each["TagValues"]} for page in pages for each in page["LFTags"]
    ]


def test_a_resource_inherits_tags_and_overrides_them(
    lakeformation: BaseClient, database: str, table: dict[str, str], tag: str
) -> None:
    def tagged(resource: dict[str, Any], value: str) -> None:
        pair = {"TagKey": tag, "TagValues": [value]}
        assert lakeformation.add_lf_tags_to_resource(Resource=resource, LFTags=[pair])["Failures"] == []

    def values(tags: list[dict[str, Any]]) -> list[str]:
        return [value for each in tags for value in each["TagValues"]]

    tagged({"Database": {"Name": database}}, "public")
    inherited = lakeformation.get_resource_lf_tags(Resource={"Table": table})
    assigned = lakeformation.get_resource_lf_tags(Resource={"Table": table}, ShowAssignedLFTags=True)
    assert (values(inherited["LFTagsOnTable"]), values(assigned["LFTagsOnTable"])) == (["public"], [])

    tagged({"TableWithColumns": {**table, "ColumnNames": ["email"]}}, "private")
    found = lakeformation.get_resource_lf_tags(Resource={"Table": table})
    assert [(each["Name"], values(each["LFTags"])) for each in found["LFTagsOnColumns"]] == [("email", ["private"])]
    assert values(found["LFTagOnDatabase"]) == ["public"]

    pair = {"TagKey": tag, "TagValues": ["public"]}
    removal = {"Resource": {"Database": {"Name": database}}, "LFTags": [pair]}
    assert lakeformation.remove_lf_tags_from_resource(**removal)["Failures"] == []
    assert len(lakeformation.remove_lf_tags_from_resource(**removal)["Failures"]) == 1
    assert lakeformation.get_resource_lf_tags(Resource={"Database": {"Name": database}})["LFTagOnDatabase"] == []


def test_a_deleted_tag_is_gone_from_resources(lakeformation: BaseClient, database: str, tag: str) -> None:
    resource = {"Database": {"Name": database}}
    lakeformation.add_lf_tags_to_resource(Resource=resource, LFTags=[{"TagKey": tag, "TagValues": ["public"]}])
    lakeformation.delete_lf_tag(TagKey=tag)
    assert lakeformation.get_resource_lf_tags(Resource=resource)["LFTagOnDatabase"] == []


def test_a_value_that_a_tag_does_not_have_is_not_given(lakeformation: BaseClient, database: str, tag: str) -> None:
    resource = {"Database": {"Name": database}}
    wrong = lakeformation.add_lf_tags_to_resource(Resource=resource, LFTags=[{"TagKey": tag, "TagValues": ["x"]}])
    assert [each["Error"]["ErrorCode"] for each in wrong["Failures"]] == ["EntityNotFoundException"]


# permissions


def permissions(lakeformation: BaseClient, **selection: Any) -> list[tuple[str, list[str], list[str]]]:
    """The kind of resource, what is permitted and what may be passed on."""
    found = lakeformation.list_permissions(**selection)["PrincipalResourcePermissions"]
    return sorted(
        (*each["Resource"], each["Permissions"], each["PermissionsWithGrantOption"])  # type: ignore[misc]
        for each in found
    )


def test_permissions_are_granted_listed_and_revoked(lakeformation: BaseClient, database: str) -> None:
    resource = {"Database": {"Name": database}}
    who = {"Principal": ANALYST, "Resource": resource}
    lakeformation.grant_permissions(**who, Permissions=["DESCRIBE"])
    lakeformation.grant_permissions(**who, Permissions=["ALTER"], PermissionsWithGrantOption=["ALTER"])
    lakeformation.grant_permissions(Principal=STEWARD, Resource=resource, Permissions=["DROP"])
    assert permissions(lakeformation, **who) == [("Database", ["ALTER", "DESCRIBE"], ["ALTER"])]
    assert len(permissions(lakeformation, Resource=resource)) == 2
    lakeformation.revoke_permissions(**who, Permissions=["ALTER"], PermissionsWithGrantOption=["ALTER"])
    assert permissions(lakeformation, **who) == [("Database", ["DESCRIBE"], [])]
    lakeformation.revoke_permissions(**who, Permissions=["DESCRIBE"])
    assert permissions(lakeformation, **who) == []
    with refused("InvalidInputException"):
        lakeformation.revoke_permissions(**who, Permissions=["DESCRIBE"])


def test_select_on_a_table_is_select_on_its_columns(lakeformation: BaseClient, table: dict[str, str]) -> None:
    who = {"Principal": ANALYST, "Resource": {"Table": table}}
    lakeformation.grant_permissions(**who, Permissions=["SELECT", "DESCRIBE"])
    assert permissions(lakeformation, **who) == [("Table", ["DESCRIBE"], []), ("TableWithColumns", ["SELECT"], [])]
    lakeformation.revoke_permissions(**who, Permissions=["SELECT", "DESCRIBE"])
    assert permissions(lakeformation, **who) == []


def test_select_on_some_columns(lakeformation: BaseClient, table: dict[str, str]) -> None:
    columns = {"TableWithColumns": {**table, "ColumnNames": ["id"]}}
    lakeformation.grant_permissions(Principal=ANALYST, Resource=columns, Permissions=["SELECT"])
    (found,) = lakeformation.list_permissions(Principal=ANALYST, Resource={"Table": table})[
        "PrincipalResourcePermissions"
    ]
    assert found["Resource"]["TableWithColumns"]["ColumnNames"] == ["id"]


def test_permissions_on_all_tables_of_a_database(lakeformation: BaseClient, database: str) -> None:
    who = {"Principal": ANALYST, "Resource": {"Table": {"DatabaseName": database, "TableWildcard": {}}}}
    lakeformation.grant_permissions(**who, Permissions=["SELECT", "INSERT"])
    found = lakeformation.list_permissions(**who)["PrincipalResourcePermissions"]
    assert {name: table["Name"] for each in found for name, table in each["Resource"].items()} == {
        "Table": "ALL_TABLES",
        "TableWithColumns": "ALL_TABLES",
    }


def test_permissions_by_tag(lakeformation: BaseClient, tag: str) -> None:
    expression = [{"TagKey": tag, "TagValues": ["public", "private"]}]
    who = {"Principal": ANALYST, "Resource": {"LFTagPolicy": {"ResourceType": "TABLE", "Expression": expression}}}
    lakeformation.grant_permissions(**who, Permissions=["SELECT", "DESCRIBE"])
    assert permissions(lakeformation, **who) == [("LFTagPolicy", ["DESCRIBE", "SELECT"], [])]
    turned = [{"TagKey": tag, "TagValues": ["private", "public"]}]
    same = {"LFTagPolicy": {"ResourceType": "TABLE", "Expression": turned}}
    assert len(permissions(lakeformation, Principal=ANALYST, Resource=same)) == 1
    for kind, others in (("LF_TAG_POLICY_TABLE", 1), ("LF_TAG_POLICY", 1), ("LF_TAG_POLICY_DATABASE", 0)):
        assert len(permissions(lakeformation, **who, ResourceType=kind)) == others


@pytest.mark.parametrize(
    ("kind", "resource", "permission"),
    [
        ("CATALOG", {"Catalog": {}}, "CREATE_DATABASE"),
        ("DATA_LOCATION", {"DataLocation": {"ResourceArn": "arn:aws:s3:::lake"}}, "DATA_LOCATION_ACCESS"),
        ("LF_TAG", {"LFTag": {"TagKey": "level", "TagValues": ["public"]}}, "ASSOCIATE"),
    ],
)
def test_permissions_by_kind(
    lakeformation: BaseClient, name: str, kind: str, resource: dict[str, Any], permission: str
) -> None:
    someone = {"DataLakePrincipalIdentifier": f"arn:aws:iam::000000000000:role/{name}"}
    lakeformation.grant_permissions(Principal=someone, Resource=resource, Permissions=[permission])
    found = lakeformation.list_permissions(ResourceType=kind)["PrincipalResourcePermissions"]
    assert [each["Permissions"] for each in found if each["Principal"] == someone] == [[permission]]


def test_permissions_on_what_is_not_there(lakeformation: BaseClient, name: str) -> None:
    with refused("EntityNotFoundException"):
        lakeformation.grant_permissions(
            Principal=ANALYST, Resource={"Database": {"Name": name}}, Permissions=["DESCRIBE"]
        )


def test_who_asks_for_a_principal_asks_for_a_resource(lakeformation: BaseClient) -> None:
    with refused("InvalidInputException"):
        lakeformation.list_permissions(Principal=ANALYST)


def test_batches_grant_and_revoke_what_they_can(lakeformation: BaseClient, database: str, name: str) -> None:
    def entry(number: int, database: str) -> dict[str, Any]:
        resource = {"Database": {"Name": database}}
        return {"Id": str(number), "Principal": ANALYST, "Resource": resource, "Permissions": ["DESCRIBE"]}

    entries = [entry(1, database), entry(2, f"{name}_nowhere")]
    granted = lakeformation.batch_grant_permissions(Entries=entries)["Failures"]
    revoked = lakeformation.batch_revoke_permissions(Entries=entries)["Failures"]
    assert [each["RequestEntry"]["Id"] for each in granted] == ["2"]
    assert [each["RequestEntry"]["Id"] for each in revoked] == ["2"]


# data cells filters


def test_a_filter_is_created_read_updated_listed_and_deleted(
    lakeformation: BaseClient, sts: BaseClient, table: dict[str, str]
) -> None:
    catalog = sts.get_caller_identity()["Account"]
    where = {"TableCatalogId": catalog, "DatabaseName": table["DatabaseName"], "TableName": "t", "Name": "adults"}
    cells = {**where, "RowFilter": {"FilterExpression": "id > 17"}, "ColumnNames": ["id"]}
    lakeformation.create_data_cells_filter(TableData=cells)
    with refused("AlreadyExistsException"):
        lakeformation.create_data_cells_filter(TableData=cells)
    first = lakeformation.get_data_cells_filter(**where)["DataCellsFilter"]
    assert first == cells | {"VersionId": first["VersionId"]}

    everything = {**where, "RowFilter": {"AllRowsWildcard": {}}, "ColumnWildcard": {"ExcludedColumnNames": ["email"]}}
    lakeformation.update_data_cells_filter(TableData=everything)
    (second,) = lakeformation.list_data_cells_filter(Table={"CatalogId": catalog, **table})["DataCellsFilters"]
    assert second == everything | {"VersionId": second["VersionId"]}
    assert second["VersionId"] != first["VersionId"]

    lakeformation.delete_data_cells_filter(**where)
    for operation in (lakeformation.get_data_cells_filter, lakeformation.delete_data_cells_filter):
        with refused("EntityNotFoundException"):
            operation(**where)
    with refused("EntityNotFoundException"):
        lakeformation.update_data_cells_filter(TableData=cells)


@pytest.mark.parametrize(
    "what",
    [
        {"ColumnNames": ["id"]},
        {"RowFilter": {"AllRowsWildcard": {}}},
        {"RowFilter": {"AllRowsWildcard": {}}, "ColumnNames": ["id"], "ColumnWildcard": {}},
    ],
    ids=["no rows", "no columns", "columns twice"],
)
def test_a_filter_says_which_rows_and_columns(
    lakeformation: BaseClient, table: dict[str, str], what: dict[str, Any]
) -> None:
    where = {"TableCatalogId": "000000000000", "DatabaseName": table["DatabaseName"], "TableName": "t", "Name": "f"}
    with refused("InvalidInputException"):
        lakeformation.create_data_cells_filter(TableData={**where, **what})


def test_a_filter_needs_its_table(lakeformation: BaseClient, database: str) -> None:
    where = {"TableCatalogId": "000000000000", "DatabaseName": database, "TableName": "nowhere", "Name": "f"}
    with refused("EntityNotFoundException"):
        lakeformation.create_data_cells_filter(
            TableData={**where, "RowFilter": {"AllRowsWildcard": {}}, "ColumnNames": ["id"]}
        )


# opt-ins


def test_an_opt_in_is_created_listed_and_deleted(lakeformation: BaseClient, database: str) -> None:
    who = {"Principal": ANALYST, "Resource": {"Database": {"Name": database}}}
    lakeformation.create_lake_formation_opt_in(**who)
    (found,) = lakeformation.list_lake_formation_opt_ins(**who)["LakeFormationOptInsInfoList"]
    assert (found["Principal"], found["Resource"]) == (who["Principal"], who["Resource"])
    assert found["LastUpdatedBy"].startswith("arn:aws:iam::")
    assert lakeformation.list_lake_formation_opt_ins(Principal=STEWARD)["LakeFormationOptInsInfoList"] == []
    lakeformation.delete_lake_formation_opt_in(**who)
    with refused("EntityNotFoundException"):
        lakeformation.delete_lake_formation_opt_in(**who)
