"""The contracts are valid documents of the Open Data Contract Standard, and hold what every table needs."""

from importlib.resources import as_file, files

import pytest
from open_data_contract_standard.model import OpenDataContractStandard

from stedi_common.contracts import contract, names
from stedi_common.errors import ContractError
from stedi_common.rules import lineage


@pytest.mark.parametrize("name", names())
def test_every_contract_follows_the_standard(name):
    with as_file(files("stedi_common.contracts") / f"{name}.yaml") as path:
        document = OpenDataContractStandard.from_file(str(path))
    assert document.name == contract(name).name == name


@pytest.mark.parametrize("name", names())
def test_lineage_is_what_the_functions_say(name):
    of = contract(name)
    if of.zone == "landing":
        assert (of.made_by, of.made_from) == ("land", ())
    else:
        assert of.made_from == tuple(source.name for source in lineage.JOBS[of.made_by].sources)
        assert lineage.JOBS[of.made_by].target is of


@pytest.mark.parametrize("name", names())
def test_no_person_can_be_told_from_a_partition(name):
    partition = contract(name).partition
    assert partition is None or not partition.is_pii


def test_researchers_read_no_personal_column():
    assert not [c.name for c in contract("machine_learning_curated").columns if c.is_pii]


def test_an_unknown_contract_is_a_clear_error():
    with pytest.raises(ContractError, match=r"expected one of .*customer_landing.*, got 'customers'"):
        contract("customers")
