"""What TFLint would look at, and what every module here promises beside."""

import re
from collections import Counter

import pytest

from modules import NAMED, Block, Module, modules

MODULES = modules()
ROOTS = [module for module in MODULES if module.is_root]
OTHERS = [module for module in MODULES if not module.is_root]
MODELS = [module for module in OTHERS if module.name.startswith("modules/")]

SNAKE_CASE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: Whose account is not LocalStack's.
ACCOUNT = re.compile(r"\b(?!0{12})\d{12}\b")
REGION = re.compile(r"\b(?:af|ap|ca|eu|il|me|mx|sa|us)-(?:gov-)?[a-z]+-\d\b")


def of(modules: list[Module]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("module", modules, ids=[module.name for module in modules])


@of(MODULES)
def test_a_variable_has_a_type_and_a_description(module: Module) -> None:
    assert not [v.address for v in module.named("variable") if not (v.has("type") and v.get("description"))]


@of(MODULES)
def test_a_variable_says_whether_it_may_be_null(module: Module) -> None:
    def says(variable: Block) -> bool:
        return variable.has("nullable") or (variable.has("default") and variable.get("default") is None)

    assert not [variable.address for variable in module.named("variable") if not says(variable)]


@of(OTHERS)
def test_every_validation_has_a_test_that_expects_its_failure(module: Module) -> None:
    validations = {v.address: len(v.body["validation"]) for v in module.named("variable") if v.has("validation")}
    assert not Counter(validations) - Counter(module.expected_failures)


@of(MODULES)
def test_an_output_has_a_description(module: Module) -> None:
    assert not [output.address for output in module.named("output") if not output.get("description")]


@of(MODULES)
def test_what_is_declared_is_used(module: Module) -> None:
    # A validation of a variable is no use of it.
    code = {variable.address: module.code(but=variable) for variable in module.named("variable")}
    code |= {block.address: module.code() for kind in ("data", "ephemeral") for block in module.named(kind)}
    code |= {f"local.{name}": module.code() for name in module.locals}
    assert not [address for address in code if not re.search(rf"\b{re.escape(address)}\b", code[address])]


@of(MODULES)
def test_names_are_snake_case(module: Module) -> None:
    names = [block.name for kind in NAMED for block in module.named(kind)] + module.locals
    assert not [name for name in names if not SNAKE_CASE.fullmatch(name)]


@of(MODULES)
def test_terraform_and_providers_have_versions(module: Module) -> None:
    (settings,) = module.unnamed("terraform")
    assert settings["required_version"] == [">= 1.11"]
    assert settings["required_providers"] == [{"aws": [{"source": "hashicorp/aws", "version": "~> 5.100"}]}]


@of(MODULES)
def test_every_module_called_is_one_of_ours(module: Module) -> None:
    assert not [call.address for call in module.named("module") if not call.get("source").startswith("../")]


@of(OTHERS)
def test_a_module_takes_the_provider_of_its_caller(module: Module) -> None:
    assert not module.unnamed("provider")


def test_every_root_locks_the_same_provider() -> None:
    assert len({(root.folder / ".terraform.lock.hcl").read_text(encoding="utf-8") for root in ROOTS}) == 1


@of(MODULES)
def test_no_account_is_written_down(module: Module) -> None:
    assert not ACCOUNT.findall(module.code())


@of(OTHERS)
def test_no_region_is_written_down(module: Module) -> None:
    assert not REGION.findall(module.code())


@of(MODULES)
def test_comments_begin_with_a_hash(module: Module) -> None:
    assert not re.findall(r"^\s*(?://|/\*).*", module.code(), re.MULTILINE)


@of(MODELS)
def test_the_example_in_the_readme_gives_what_the_module_takes(module: Module) -> None:
    example = module.example
    variables = {variable.name: variable for variable in module.named("variable")}
    required = {name for name, variable in variables.items() if not variable.has("default")}
    assert required <= example <= variables.keys()
