"""The pseudonym key (rule 10): 32 random bytes outside the lake. With the key and an email, anybody finds a person."""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from stedi_common.errors import KeyMissingError
from stedi_common.files import write_new

KEY_BYTES = 32

_DIGITS = f"{2 * KEY_BYTES} hex digits"


@dataclass(frozen=True)
class PseudonymKey:
    """The key and what is derived from it. Its bytes never show in a repr, a log or a query."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            raise KeyMissingError(f"pseudonym key: expected {KEY_BYTES} bytes, got {len(self.secret)}")

    def pseudonym(self, email: str) -> str:
        """The person's pseudonym: HMAC-SHA-256 of the email, 64 hex digits."""
        return hmac.digest(self.secret, email.encode(), "sha256").hex()

    @property
    def content_key(self) -> bytes:
        """The key for the hashes of rejected lines. It is derived, so that no such hash is a pseudonym."""
        return hmac.digest(self.secret, b"stedi rejected content", "sha256")

    def file_digest(self, sha256: str) -> str:
        """The digest of a file that the table of landed files has: an HMAC, which only the key tells from another's.

        A file may have one line. Whoever has its SHA-256 can try what the line may say.

        Args:
            sha256: the SHA-256 of the file, in hex.
        """
        derived = hmac.digest(self.secret, b"stedi file digest", "sha256")
        return hmac.digest(derived, sha256.encode(), "sha256").hex()

    def folder_digest(self, location: str) -> str:
        """The digest of a landing folder, by which it is known again: an HMAC, because a path may have a person's name.

        Args:
            location: the folder without links on the way, or its S3 URI without `/` at the end.
        """
        derived = hmac.digest(self.secret, b"stedi landing folder", "sha256")
        return hmac.digest(derived, os.fsencode(location), "sha256").hex()

    @property
    def id(self) -> str:
        """The id of the key, 16 hex digits: a hash, from which the key cannot be computed."""
        return hashlib.sha256(b"stedi key id" + self.secret).hexdigest()[:16]


def _expect_no_key(given: str, kind: str) -> None:
    """Raise KeyMissingError if what names the key is the key itself: an error that quotes it would reveal it."""
    if re.fullmatch(f"[0-9a-fA-F]{{{2 * KEY_BYTES}}}", given.strip()):
        raise KeyMissingError(
            f"pseudonym key: expected the name of a {kind}, got {_DIGITS}, which may be the key itself"
        )


def read_key(path: Path) -> PseudonymKey:
    """The key in this file, as 64 hex digits. Raises KeyMissingError if there is none, or others may read it."""
    _expect_no_key(path.name, "file")
    quoted = shlex.quote(str(path))  # who follows a hint pastes it
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii").strip()
        secret = bytes.fromhex(text)
    except FileNotFoundError:
        raise KeyMissingError(
            f"pseudonym key: expected a file at {path}, got none",
            f"restore the key of the lake; for a new lake: (umask 077 && openssl rand -hex {KEY_BYTES} > {quoted})",
        ) from None
    except OSError as error:
        raise KeyMissingError(f"pseudonym key: expected a file to read at {path}, got: {error.strerror}") from None
    except ValueError:
        raise KeyMissingError(f"pseudonym key: expected {_DIGITS} in {path}, got something else") from None
    if mode & 0o077:
        raise KeyMissingError(
            f"pseudonym key: expected mode 0600 on {path}, got {mode & 0o777:04o}",
            f"chmod 600 {shlex.quote(str(path))}",
        )
    if len(secret) != KEY_BYTES:
        raise KeyMissingError(f"pseudonym key: expected {_DIGITS} in {path}, got {2 * len(secret)}")
    return PseudonymKey(secret)


def secret_key(secret_id: str) -> PseudonymKey:
    """The key in this secret of AWS Secrets Manager, as 64 hex digits. Raises KeyMissingError if there is none."""
    _expect_no_key(secret_id, "secret")
    import boto3  # noqa: PLC0415 - Glue brings it, a laptop does without
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        text = boto3.client("secretsmanager").get_secret_value(SecretId=secret_id)["SecretString"]
        return PseudonymKey(bytes.fromhex(text.strip()))
    except (BotoCoreError, ClientError) as error:
        kind = type(error).__name__
        raise KeyMissingError(f"pseudonym key: expected the secret {secret_id}, got {kind}") from None
    except (KeyError, ValueError):  # a secret may also be bytes, which are not text
        raise KeyMissingError(f"pseudonym key: expected {_DIGITS} in {secret_id}, got something else") from None


def local_key(*, may_make: bool) -> PseudonymKey:
    """The key of this user on this machine.

    Args:
        may_make: whether one is made if there is none.

    Raises:
        KeyMissingError: there is none.
    """
    path = local_key_path()
    if may_make and not path.exists():
        _make_key(path)
    return read_key(path)


def local_key_path() -> Path:
    """Where the local key lies: outside every lake, in the user's configuration folder."""
    from platformdirs.unix import Unix  # noqa: PLC0415 - Glue's jobs take theirs from Secrets Manager

    return Unix("stedi").user_config_path / "pseudonym.key"


def _make_key(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_new(path, f"{secrets.token_hex(KEY_BYTES)}\n")
    except OSError as error:
        raise KeyMissingError(
            f"pseudonym key: expected to write one at {path}, got: {error.strerror}",
            "name a file of your own with --key-file",
        ) from None
