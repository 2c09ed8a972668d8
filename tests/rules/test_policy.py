"""The policy is known before anything is read, and is one for all trusted and curated tables (rule 11)."""

import codecs

import pytest
from support.drops import at, customer, landing, reading, step
from support.lakes import play, run

from stedi_common.engines import connect
from stedi_common.errors import PolicyError
from stedi_common.lake import Lake
from stedi_common.rules import lineage
from stedi_common.rules.policy import Policy, serials
from stedi_common.runs import executor

EVER = Policy("ever", "timestamp")
GOVERNED = tuple(job.target for job in lineage.JOBS.values())
DROPS = landing(
    [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")],
    [reading("ann@example.org", at(clock)) for clock in ("07:00", "09:00")],
    [step("sn-1", at(clock)) for clock in ("07:00", "09:00")],
)


@pytest.fixture
def lake(engine, tmp_path, key):
    """A lake that was built under the default policy."""
    play(engine, tmp_path / "drops", [DROPS], [at("10:00")], Policy(), key)
    return engine


@pytest.mark.parametrize(
    ("consent", "pairing"), [("always", "owner"), ("as-of", "all"), ("", "owner"), ("Ever", "owner")]
)
def test_an_unknown_word_is_a_clear_error(consent, pairing):
    with pytest.raises(PolicyError, match=r"policy: expected (consent|pairing) to be one of .*, got '"):
        Policy.checked(consent, pairing, frozenset(), "local")


@pytest.mark.parametrize("environment", ["prod", "PROD", " Prod ", "production", "Production\n"])
@pytest.mark.parametrize(("consent", "pairing"), [("ever", "owner"), ("as-of", "timestamp"), ("ever", "timestamp")])
@pytest.mark.rule(11)
def test_production_accepts_no_other_policy(environment, consent, pairing):
    with pytest.raises(PolicyError, match=f"expected consent=as-of pairing=owner in .*got consent={consent}"):
        Policy.checked(consent, pairing, frozenset(), environment)


def test_production_accepts_the_default_with_its_list():
    assert Policy.checked("as-of", "owner", frozenset({"sn-1"}), "prod") == Policy(
        defective_serials=frozenset({"sn-1"})
    )


@pytest.mark.parametrize("environment", ["local", "staging", "preprod", "product-demo", ""])
def test_elsewhere_everything_known_goes(environment):
    assert Policy.checked("ever", "timestamp", frozenset(), environment) == EVER


@pytest.mark.parametrize("spelled", [" SN-1", "sn-1\r\n", "\tSn-1 ", "sn-1"])
def test_a_defective_serial_is_known_however_it_is_spelled(spelled):
    assert Policy(defective_serials=frozenset({spelled, " "})) == Policy(defective_serials=frozenset({"sn-1"}))


def test_the_list_names_devices_as_landing_does():
    assert Policy(defective_serials=frozenset({"\u212aELVIN \u00a0", "\u200b"})).defective_serials == {"kelvin"}


LIST = "SN-ADA-0001\r\n sn-cleo-0003 \r\n\r\n\u00a0SN-9\u00a0\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("ending", ["\r\n", "\n", "\r", "\u2028"])
def test_a_file_of_serial_numbers_is_read_however_it_was_saved(encoding, ending):
    content = LIST.replace("\r\n", ending).encode(encoding)
    assert serials(content) == {"sn-ada-0001", "sn-cleo-0003", "sn-9"}


def test_a_file_of_serial_numbers_may_be_big_endian():
    assert serials(codecs.BOM_UTF16_BE + LIST.encode("utf-16-be")) == serials(LIST.encode())
    assert serials(codecs.BOM_UTF32_BE + LIST.encode("utf-32-be")) == serials(LIST.encode())


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\r\n \r\n", b"\xff\xfe"])
def test_a_file_may_name_no_serial_number(content):
    assert serials(content) == frozenset()


@pytest.mark.parametrize("content", [b"sn-1\r\nsn-\xff", b"\xff\xfes", b"sn-1\xa0"])
def test_a_file_that_is_no_text_is_an_error_without_a_serial_number(content):
    with pytest.raises(PolicyError, match=r"^policy: expected .* in UTF-\S+, got other bytes at \d+\nhint: ") as error:
        serials(content)
    assert "sn-" not in str(error.value)


def test_a_list_of_nothing_is_no_list():
    assert str(Policy(defective_serials=frozenset({"", "  "}))) == str(Policy())


def test_a_policy_names_lists_differently_and_without_a_serial():
    texts = [str(Policy(defective_serials=frozenset(serials))) for serials in ({"sn-1"}, {"sn-2"}, {"sn-1", "sn-2"})]
    assert len(set(texts)) == 3
    assert not [text for text in texts if "sn-" in text]


@pytest.mark.rule(11)
def test_a_job_alone_under_another_policy_changes_nothing(lake, key):
    before = heads(lake)
    for job in list(lineage.JOBS.values())[1:]:
        with pytest.raises(
            PolicyError, match=rf"^{job.name}: expected .* built with .*ever.*, got .*as-of.*\nhint: run all"
        ):
            executor.run(lake, job, EVER, key)
    assert heads(lake) == before


@pytest.mark.rule(11)
def test_all_jobs_under_another_policy_rebuild_all_tables(lake, key):
    outcomes = run(lake, EVER, key, rebuild=True)
    assert [outcome.changed for outcome in outcomes] == [True] * 5
    assert {head.summary["stedi.policy"] for head in map(lake.head, GOVERNED)} == {str(EVER)}
    assert outcomes[-1].rows_kept == 2


def test_another_list_of_defective_serials_is_another_policy(tmp_path, key):
    engine = connect("embedded", Lake.at(str(tmp_path / "lake")))
    play(engine, tmp_path / "drops", [DROPS], [at("10:00")], Policy(), key)
    outcomes = run(engine, Policy(defective_serials=frozenset({" SN-1"})), key, rebuild=True)
    assert [outcome.changed for outcome in outcomes] == [True] * 5
    assert {outcome.table: outcome.rows_kept for outcome in outcomes}["step_trainer_trusted"] == 0


def heads(engine):
    return {table.name: engine.head(table).snapshot_id for table in GOVERNED}
