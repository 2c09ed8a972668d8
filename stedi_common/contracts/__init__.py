"""The contracts: one YAML per table, in the Open Data Contract Standard. The only place a column is written down."""

from stedi_common.contracts.model import (
    CUSTOMER,
    PACKAGED,
    SOURCES,
    ZONES,
    Column,
    Contract,
    contract,
    names,
    without_project,
)

__all__ = ["CUSTOMER", "PACKAGED", "SOURCES", "ZONES", "Column", "Contract", "contract", "names", "without_project"]
