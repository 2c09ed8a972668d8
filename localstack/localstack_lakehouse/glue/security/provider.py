"""Glue's security configurations. They are kept; of what they encrypt, only the logs are."""

from datetime import UTC, datetime

from localstack.aws.api import RequestContext
from moto.glue.exceptions import AlreadyExistsException

from ...atomic import atomic
from ...paging import page
from ...service import Request, Response
from .models import configuration, configurations


@atomic
class SecurityProvider:
    """Operations on security configurations, which cannot be changed once created."""

    delegated: frozenset[str] = frozenset()

    def create_security_configuration(self, context: RequestContext, request: Request) -> Response:
        """Create a security configuration."""
        name, now = request["Name"], datetime.now(UTC)
        if name in configurations(context):
            raise AlreadyExistsException(f"Security configuration {name}")
        encryption = request["EncryptionConfiguration"]
        created = {"Name": name, "CreatedTimeStamp": now, "EncryptionConfiguration": encryption}
        configurations(context)[name] = created
        return {"Name": name, "CreatedTimestamp": now}

    def get_security_configuration(self, context: RequestContext, request: Request) -> Response:
        """Get one security configuration."""
        return {"SecurityConfiguration": configuration(context, request["Name"])}

    def get_security_configurations(self, context: RequestContext, request: Request) -> Response:
        """Get all security configurations, in pages."""
        found, token = page(list(configurations(context).values()), request)
        return {"SecurityConfigurations": found, "NextToken": token}

    def delete_security_configuration(self, context: RequestContext, request: Request) -> Response:
        """Delete a security configuration."""
        del configurations(context)[configuration(context, request["Name"])["Name"]]
        return {}
