"""Lake Formation."""

from ..atomic import atomic
from .filters import Filters
from .opt_ins import OptIns
from .permissions import Permissions
from .resources import Resources
from .tags import Tags


@atomic
class LakeFormationProvider(Filters, OptIns, Permissions, Resources, Tags):
    """Lake Formation: it keeps what it is told, and enforces nothing."""

    delegated = frozenset({"get_data_lake_settings", "put_data_lake_settings"})
