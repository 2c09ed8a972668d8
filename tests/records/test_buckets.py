"""Every object below a landing prefix in S3 is read, or named with the reason (docs/records.md, "Files").

With AWS_ENDPOINT_URL in the environment these run against the S3 there, LocalStack's for example.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256 as sha256_of
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import IncompleteReadError
from botocore.response import StreamingBody
from moto import mock_aws

from stedi_common.contracts import SOURCES
from stedi_common.errors import LakeError
from stedi_common.records import buckets, storage
from stedi_common.records.storage import Drop, Found, Skipped, discover, sha256, stored, why_unreadable

BASE = ("customer/c.json", "accelerometer/a.json", "step_trainer/s.json")


class Bucket:
    """A bucket of its own, and what is asked of it."""

    def __init__(self, client) -> None:
        self.name = f"drops-{uuid4()}"
        self.client = client
        self.listed: list[dict] = []
        client.create_bucket(Bucket=self.name)

    def put(self, *keys: str, body: bytes | None = None, **options: str) -> None:
        for key in keys:
            content = key.encode() if body is None else body
            self.client.put_object(Bucket=self.name, Key=key, Body=content, **options)

    def watch(self) -> None:
        """Note what is listed from now on."""
        events = buckets._client().meta.events
        events.register("provide-client-params.s3.ListObjectsV2", lambda params, **_: self.listed.append(params))


@pytest.fixture(scope="module")
def client():
    """A client of S3, the environment's or moto's. It and the one of the code under test are slow to make."""
    with pytest.MonkeyPatch.context() as environment, ExitStack() as moto:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            environment.setenv(name, "test")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        if "AWS_ENDPOINT_URL" not in os.environ:
            moto.enter_context(mock_aws())
        buckets._client_of.cache_clear()
        yield boto3.client("s3")
        buckets._client_of.cache_clear()


@pytest.fixture
def bucket(client):
    return Bucket(client)


@pytest.fixture
def new_client(client):
    """The code under test makes a new client."""
    buckets._client_of.cache_clear()
    yield
    buckets._client_of.cache_clear()


def read(found: Found) -> list[str]:
    return [drop.name for drops in found.drops.values() for drop in drops]


def skipped(found: Found) -> dict[str, str]:
    return {file.name: file.reason for file in found.skipped}


@pytest.mark.parametrize("prefix", ["drops", "a b/%20+#é", "a//b", "./x", "/x"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_objects_below_a_prefix_are_drops(bucket, prefix, slash):
    bucket.put(*(f"{prefix}/{key}" for key in BASE), f"{prefix}x/customer/d.json", f"x{prefix}/customer/d.json")
    found = discover(f"s3://{bucket.name}/{prefix}{slash}")
    assert read(found) == list(BASE)
    assert (found.skipped, found.missing) == ([], {})
    assert found.location == f"s3://{bucket.name}/{prefix}"
    drop = found.drops["customer"][0]
    now = datetime.now(UTC).replace(tzinfo=None)
    assert b"".join(stored(drop)) == f"{prefix}/customer/c.json".encode()
    assert drop.bytes == len(f"{prefix}/customer/c.json".encode())
    assert abs(drop.modified_at - now) < timedelta(minutes=5)


def test_a_whole_bucket(bucket):
    bucket.put(*BASE)
    assert read(discover(f"s3://{bucket.name}")) == read(discover(f"s3://{bucket.name}/")) == list(BASE)


@pytest.mark.parametrize(
    "name",
    [
        *("a b.json", "a+b.json", "a%20b.json", "a%2Fb.json", "a#b?c=1.json", "'q\"`.json", "😀.json", "<&>.json"),
        *("l\nf.json", "t\tr\r.json", "\x01\x1b.json", "x" * 200 + ".json", "cafe\u0301.json", "back\\slash.json"),
        *("c.json/part-0.json", "year=2024/a.json", " .json", "a\u2028.json", "i", "g.gz"),
    ],
)
def test_a_key_is_taken_exactly_as_it_is(bucket, name):
    bucket.put(f"drops/customer/{name}")
    (drop,) = discover(f"s3://{bucket.name}/drops").drops["customer"]
    assert drop.name == f"customer/{name}"
    assert sha256(drop) == sha256_of(f"drops/customer/{name}".encode()).hexdigest()


def test_folder_markers_are_not_named(bucket):
    """Case 81. A folder that is empty is there."""
    bucket.put("drops/", "drops/accelerometer/", "drops/accelerometer/2024/", "drops/other/", "drops//", body=b"")
    bucket.put("drops/customer/c.json", "drops/step_trainer/s.json")
    found = discover(f"s3://{bucket.name}/drops")
    assert read(found) == ["customer/c.json", "step_trainer/s.json"]
    assert (found.skipped, found.missing) == ([], {})


def test_unusable_keys_are_named(bucket):
    """Case 82."""
    bucket.put(*(f"drops/{key}" for key in BASE))
    keys = ("accelerometer//b.json", "customer/./b.json", "customer/../b.json", "/customer/b.json", "../b.json")
    bucket.put(*(f"drops/{key}" for key in keys), "drops/customer//.b.json")
    found = discover(f"s3://{bucket.name}/drops")
    assert read(found) == list(BASE)
    assert skipped(found) == dict.fromkeys(keys, "unusable_key") | {"customer//.b.json": "hidden"}
    assert Skipped("customer/./b.json", "unusable_key", "customer") in found.skipped
    assert Skipped("/customer/b.json", "unusable_key", "") in found.skipped


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
def test_archived_objects_are_named(bucket, storage_class):
    bucket.put("customer/a.json")
    bucket.put("customer/b.json", "x.json", "customer/_c", StorageClass=storage_class)
    found = discover(f"s3://{bucket.name}")
    assert read(found) == ["customer/a.json"]
    assert skipped(found) == {"customer/_c": "hidden", "customer/b.json": "archived", "x.json": "archived"}


@pytest.mark.parametrize("storage_class", ["STANDARD_IA", "GLACIER_IR", "INTELLIGENT_TIERING"])
def test_other_storage_classes_are_read(bucket, storage_class):
    bucket.put("customer/a.json", StorageClass=storage_class)
    assert read(discover(f"s3://{bucket.name}")) == ["customer/a.json"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"IsRestoreInProgress": False, "RestoreExpiryDate": datetime(2030, 1, 1, tzinfo=UTC)}, None),
        ({"IsRestoreInProgress": True}, "archived"),
    ],
)
def test_what_is_restored_is_read(status, reason):
    """moto and LocalStack do not tell of it."""
    listed = {"Key": "a", "Size": 1, "LastModified": datetime.now(UTC), "StorageClass": "GLACIER"}
    assert buckets._object(listed | {"RestoreStatus": status}, "a").reason == reason


def test_s3_is_asked_what_is_restored(bucket):
    bucket.put(*BASE)
    bucket.watch()
    discover(f"s3://{bucket.name}")
    assert [asked["OptionalObjectAttributes"] for asked in bucket.listed] == [["RestoreStatus"]]


def test_times_are_of_utc():
    listed = {"Key": "a", "Size": 1, "LastModified": datetime(2024, 3, 5, 12, tzinfo=timezone(timedelta(hours=2)))}
    assert buckets._object(listed, "a").modified_at == datetime(2024, 3, 5, 10)


def test_other_files_are_named_as_on_disk(bucket):
    expected = {
        "a.json": "outside_sources",
        "truth/a.json": "outside_sources",
        "customer": "outside_sources",
        "customer/a.csv": "unknown_ending",
        "customer/_temporary/0/a.json": "hidden",
        "customer/a.json.tmp": "temporary",
    }
    bucket.put(*BASE, *expected)
    found = discover(f"s3://{bucket.name}")
    assert (read(found), skipped(found)) == (list(BASE), expected)
    assert found.skipped == sorted(found.skipped)
    assert Skipped("customer", "outside_sources", "") in found.skipped


def test_of_one_source_only_its_prefix_is_listed(bucket):
    """A job for one source has rights to no more; one for all lists everything once."""
    bucket.put("drops/customer/c.json", "drops/customers/d.json", "drops/accelerometer/a.csv", "drops/x.json")
    bucket.watch()
    found = discover(f"s3://{bucket.name}/drops", ["customer"])
    assert (read(found), found.skipped, found.missing) == (["customer/c.json"], [], {})
    found = discover(f"s3://{bucket.name}/drops/", ["step_trainer"])
    assert (read(found), found.skipped, found.missing) == ([], [], {"step_trainer": None})
    discover(f"s3://{bucket.name}/drops", SOURCES)
    assert [asked["Prefix"] for asked in bucket.listed] == ["drops/customer/", "drops/step_trainer/", "drops/"]


def test_more_objects_than_a_page_holds(bucket):
    names = [f"customer/{number:04}.json" for number in range(1100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(bucket.put, names))
    assert read(discover(f"s3://{bucket.name}")) == names


def test_a_missing_source_is_told_with_the_nearest_folder(bucket):
    bucket.put("drops/customers/c.json", "drops/accelerometer/a.json", "drops/truth/t.json")
    found = discover(f"s3://{bucket.name}/drops")
    assert found.missing == {"customer": "customers/", "step_trainer": None}


def test_a_prefix_without_any_source_is_an_error(bucket):
    bucket.put("drops/customers/c.json")
    with pytest.raises(
        LakeError, match=r"drops: expected .*, got customers/\nhint: customers/: did you mean customer/\?"
    ):
        discover(f"s3://{bucket.name}/drops")


def test_a_key_without_a_folder_is_no_folder(bucket):
    bucket.put("drops//customer/c.json")
    with pytest.raises(LakeError, match=r"got no folder\nhint: "):
        discover(f"s3://{bucket.name}/drops")


@pytest.mark.parametrize("keys", [(), ("drops/",), ("drop/customer/c.json", "dropsy/customer/c.json")])
def test_nothing_below_a_prefix_is_an_error(bucket, keys):
    """Case 86."""
    bucket.put(*keys)
    with pytest.raises(LakeError, match=r"/drops/: expected .* below it, got nothing\nhint: "):
        discover(f"s3://{bucket.name}/drops/")


def test_no_bucket_is_an_error(bucket):
    with pytest.raises(LakeError, match=r"expected to list the objects below drops/, got NoSuchBucket\nhint: "):
        discover(f"s3://no-{bucket.name}/drops")


@pytest.mark.usefixtures("new_client")
def test_without_credentials_it_is_an_error(bucket, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    with pytest.raises(LakeError, match="below it, got NoCredentialsError"):
        discover(f"s3://{bucket.name}")


@pytest.mark.usefixtures("new_client")
def test_without_boto3_it_is_an_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(LakeError, match=r"expected the library boto3, got none\nhint: pip install"):
        discover("s3://drops")


# Reading


@pytest.fixture
def drop(bucket) -> Drop:
    bucket.put("customer/c.json", body=b"0123456789abcd")
    return discover(f"s3://{bucket.name}").drops["customer"][0]


@pytest.fixture
def in_small_pieces(monkeypatch):
    monkeypatch.setattr(storage, "READ_BYTES", 4)


@pytest.mark.usefixtures("in_small_pieces")
@pytest.mark.parametrize("content", [b"", b"a", b"0123", b"01234", b"01234567"])
def test_an_object_is_read_in_pieces(bucket, content):
    bucket.put("customer/c.json", body=content)
    (drop,) = discover(f"s3://{bucket.name}").drops["customer"]
    pieces = list(stored(drop))
    assert b"".join(pieces) == content
    assert all(len(piece) == 4 for piece in pieces[:-1])
    assert why_unreadable(drop) is None


@pytest.mark.usefixtures("in_small_pieces")
def test_an_object_that_is_overwritten_while_it_is_read_is_not_read_half_and_half(bucket, drop):
    pieces = stored(drop)
    assert next(pieces) == b"0123"
    bucket.put("customer/c.json", body=b"another content")
    with pytest.raises(LakeError, match=r"customer/c\.json: expected to read the file, got PreconditionFailed"):
        list(pieces)
    assert why_unreadable(drop) is None  # the next time


@pytest.mark.usefixtures("in_small_pieces")
def test_an_answer_that_breaks_off_is_asked_for_again(drop, monkeypatch):
    whole, breaks = StreamingBody.read, iter([1, 0, 1, 1, 0])

    def read(*arguments, **options):
        if next(breaks, 0):
            raise IncompleteReadError(actual_bytes=1, expected_bytes=4)
        return whole(*arguments, **options)

    monkeypatch.setattr(StreamingBody, "read", read)
    assert b"".join(stored(drop)) == b"0123456789abcd"


def test_an_answer_that_always_breaks_off_is_an_error(drop, monkeypatch):
    def read(*_, **__):
        raise IncompleteReadError(actual_bytes=1, expected_bytes=4)

    monkeypatch.setattr(StreamingBody, "read", read)
    with pytest.raises(LakeError, match="got IncompleteReadError"):
        list(stored(drop))
    assert why_unreadable(drop) == "unreadable"


def test_why_an_object_cannot_be_read(bucket):
    bucket.put("customer/a@example.com.json", StorageClass="GLACIER")
    archived = Drop("customer/a@example.com.json", f"s3://{bucket.name}/customer/a@example.com.json", 1, datetime.now())
    assert why_unreadable(archived) == "archived"
    assert why_unreadable(archived._replace(path=f"s3://{bucket.name}/none")) == "unreadable"
    with pytest.raises(LakeError) as error:
        list(stored(archived))
    assert str(error.value) == ("customer/\u2039address\u203a.json: expected to read the file, got InvalidObjectState")


@pytest.mark.usefixtures("new_client")
def test_objects_are_read_by_many_threads(bucket):
    names = [f"customer/{number}.json" for number in range(40)]
    bucket.put(*names)
    found = discover(f"s3://{bucket.name}").drops["customer"]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(sha256, found)) == [sha256_of(drop.name.encode()).hexdigest() for drop in found]
