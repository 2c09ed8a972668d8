"""Every setting, declared once: name, default, help, and how a text is parsed. Options and arguments follow from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from stedi_common.errors import SettingsError, StediError, UnusablePathError, nearest
from stedi_common.settings.reader import Limits, ReaderSettings
from stedi_common.text import is_uri

# The rules import what takes long, and `stedi --help` is quick.
if TYPE_CHECKING:
    from stedi_common.rules.policy import Policy

ENGINES = ("embedded", "spark")
#: The engine that is chosen for each run, by how many bytes it reads.
AUTO = "auto"
#: The values of `environment`. An unknown one is an error, so that a misspelled `prod` is not unguarded.
ENVIRONMENTS = ("local", "dev", "test", "staging", "prod", "production")

#: Bits of a file mode: all rights, those of the owner, and the rights of others to write.
_ALL_RIGHTS, _OWNER_RIGHTS, _OTHERS_WRITE = 0o777, 0o700, 0o022

#: What begins the only URI that a location may be.
_S3_URI = re.compile(r"s3://[^/]")

#: The bytes of each unit.
_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}

#: Parses a setting: from the place where the value is given, for errors, and the value.
Parse: TypeAlias = Callable[[str, Any], Any]


@dataclass(frozen=True)
class Option:
    """An option: `--lake` on the command line, `STEDI_LAKE` in the environment, `lake` in `stedi.toml`.

    Attributes:
        parse: reads a value; raises SettingsError for one that is not understood.
        choices: gives the values that are allowed; None if all are.
        fold: whether values are compared without surrounding blanks and without case.
        aliases: other spellings on the command line.
        is_path: whether it is a path, which `stedi.toml` gives relative to itself.
        is_key: whether it says where the pseudonym key is. Only one of these options may be given.
        is_content: whether the content of the file is the value. Then `parse` takes the bytes of a file in S3, too.
        is_for_jobs: whether the scripts of Glue's jobs take it. A job has a role, so it needs no profile.
    """

    help: str
    parse: Parse
    name: str = ""
    metavar: str | None = None
    choices: Callable[[], Sequence[str]] | None = None
    fold: bool = False
    aliases: Sequence[str] = ()
    is_path: bool = False
    is_key: bool = False
    is_content: bool = False
    is_for_jobs: bool = True

    @property
    def flags(self) -> tuple[str, ...]:
        """The option's names on the command line."""
        return (f"--{self.name.replace('_', '-')}", *self.aliases)

    @property
    def variable(self) -> str:
        """The option's name in the environment."""
        return f"STEDI_{self.name.upper()}"

    def read(self, where: str, given: Any) -> Any:
        """Parse a value. `where` is the place where it is given. Raises SettingsError if it is not understood."""
        value = self.parse(where, given)
        if self.choices and self.folded(value) not in (known := self.choices()):
            raise SettingsError(
                f"{where}: expected one of {', '.join(known)}, got {value!r}", nearest(value.strip(), known)
            )
        return value

    def folded(self, name: str) -> str:
        """The name as it is compared."""
        return name.strip().lower() if self.fold else name


def _text(where: str, given: Any) -> str:
    if isinstance(given, Path):
        given = str(given)
    if not isinstance(given, str):
        raise SettingsError(f"{where}: expected a text, got {given!r}")
    if "\0" in given:  # TOML can have it; the system ends a name there
        raise SettingsError(f"{where}: expected a text without the character 0, got {given!r}")
    return given


def _prefix(where: str, given: Any) -> str:
    """The beginning of a database's name. A dot would make it a name of two parts."""
    text = _text(where, given)
    if not re.fullmatch(r"[A-Za-z0-9_-]*", text):
        raise SettingsError(f"{where}: expected ASCII letters, digits, _ and -, got {text!r}")
    return text


def _location(where: str, given: Any) -> str:
    """A path or an S3 URI. Another URI would be a folder of this name below the working folder."""
    text = _text(where, given)
    if not text:
        raise UnusablePathError(f"{where}: expected a folder or an S3 URI, got nothing")
    if is_uri(text) and not _S3_URI.match(text):
        raise UnusablePathError(
            f"{where}: expected a path or an S3 URI, got {text}",
            hint="a path has no file:// before it, and an S3 URI is as s3://bucket/folder",
        )
    return text


def _path(where: str, given: Any) -> Path:
    return Path(_location(where, given))


def _boolean(where: str, given: Any) -> bool:
    words = {"true": True, "false": False, "1": True, "0": False}
    word = str(given).strip().lower()
    if word not in words:
        raise SettingsError(f"{where}: expected true or false, got {given!r}")
    return words[word]


def _bytes(where: str, given: Any) -> int:
    """A number of bytes, which may have a unit."""
    found = re.fullmatch(r"(\d{1,15})\s*(|B|kB|MB|GB|TB)", str(given).strip(), re.IGNORECASE)
    if isinstance(given, bool) or found is None:
        raise SettingsError(f"{where}: expected a size such as 500MB or 4GB, got {given!r}")
    return int(found[1]) * _UNITS[found[2].upper()]


def _umask(where: str, given: Any) -> int:
    """The umask, from octal digits. A number is none: TOML has no 027, and 27 would let others read."""
    if not isinstance(given, str):
        raise SettingsError(f'{where}: expected an octal umask in quotes, such as "077", got {given!r}')
    try:
        mask = int(given, 8)
    except ValueError:
        mask = -1
    if not 0 <= mask <= _ALL_RIGHTS or mask & _OWNER_RIGHTS or mask & _OTHERS_WRITE != _OTHERS_WRITE:
        raise SettingsError(
            f"{where}: expected an octal umask that lets only the owner write, such as 077, got {given!r}"
        )
    return mask


def _serials(where: str, given: Any) -> frozenset[str]:
    """The serial numbers of a file, of its content, or of a list."""
    from stedi_common.rules.policy import serials  # noqa: PLC0415

    if isinstance(given, bytes):
        return serials(given)
    if not isinstance(given, str | Path):
        if not isinstance(given, Iterable) or not all(isinstance(serial, str) for serial in given):
            raise SettingsError(f"{where}: expected a file or a list of serial numbers, got something else")
        return frozenset(given)
    try:
        return serials(_path(where, given).read_bytes())
    except OSError as error:
        raise SettingsError(f"{where}: expected a readable file, got {error.strerror} at {given}") from None


def _consents() -> Sequence[str]:
    from stedi_common.rules.policy import Consent  # noqa: PLC0415

    return get_args(Consent)


def _pairings() -> Sequence[str]:
    from stedi_common.rules.policy import Pairing  # noqa: PLC0415

    return get_args(Pairing)


def _setting(default: Any, **option: Any) -> Any:
    return field(default=default, metadata={"option": Option(**option)})


@dataclass(frozen=True)
class Settings:
    """The settings of a run. `load` reads them from their sources; a program may also construct them.

    Attributes:
        limits: what input may not exceed.
        zones: the time zone of each source whose local times are read in one.
        explicit: the names of the settings that were given, so are not defaults.
        unread_serials: why the list of defective serial numbers cannot be read. None if it was read, or not given.

    Examples:
        >>> from stedi_common import Settings
        >>> Settings(consent="ever").policy
        Policy(consent='ever', pairing='owner', defective_serials=frozenset())
    """

    lake: str = _setting(
        "lake",
        help="The lake: a folder with catalog.db and the tables, or an S3 URI, in which {zone} is the zone's name.",
        parse=_location,
        is_path=True,
    )
    landing: str = _setting(
        "drops",
        help="The landing folder or its S3 URI, with a folder for each source.",
        parse=_location,
        is_path=True,
    )
    engine: str = _setting(
        AUTO,
        help="embedded: DuckDB in this process; spark: Spark, here or on Glue; auto: by how many bytes a run reads.",
        parse=_text,
        choices=lambda: (AUTO, *ENGINES),
    )
    embedded_bytes: int = _setting(
        10**9,
        help="With --engine auto, a run that reads more bytes uses Spark: 500MB, 4GB.",
        parse=_bytes,
        metavar="BYTES",
    )
    database_prefix: str = _setting("", help="What the names of the catalog's databases start with.", parse=_prefix)
    catalog: str = _setting(
        "",
        help="The catalog of a lake in S3: its name in PyIceberg's configuration. By default Glue.",
        parse=_text,
        metavar="NAME",
    )
    profile: str | None = _setting(
        None, help="The profile of the AWS CLI to use.", parse=_text, metavar="PROFILE", is_for_jobs=False
    )
    endpoint_url: str | None = _setting(
        None, help="The endpoint of all AWS services.", parse=_text, metavar="URL", is_for_jobs=False
    )
    consent: str = _setting(
        "as-of",
        help="as-of: readings made at or after the consent start; ever: all readings of people who consent now.",
        parse=_text,
        choices=_consents,
    )
    pairing: str = _setting(
        "owner",
        help="owner: readings of one person at one instant; timestamp: all readings of one instant.",
        parse=_text,
        choices=_pairings,
    )
    defective_serials: frozenset[str] = _setting(
        frozenset(),
        help="A file of serial numbers, one per line, that say nothing about who owns the device.",
        parse=_serials,
        metavar="FILE",
        is_path=True,
        is_content=True,
    )
    environment: str = _setting(
        "local",
        help=f"One of {', '.join(ENVIRONMENTS)}. The last two accept only the defaults of consent and pairing.",
        parse=_text,
        choices=lambda: ENVIRONMENTS,
        fold=True,
    )
    pseudonym_key_file: Path | None = _setting(  # noqa: RUF009 - a field
        None,
        help="The file of the pseudonym key: 64 hex digits, mode 0600. By default ~/.config/stedi/pseudonym.key.",
        parse=_path,
        metavar="FILE",
        aliases=("--key-file",),
        is_path=True,
        is_key=True,
    )
    pseudonym_key_secret: str | None = _setting(
        None,
        help="The name or ARN of the secret in AWS Secrets Manager that holds the pseudonym key.",
        parse=_text,
        metavar="SECRET",
        is_key=True,
    )
    umask: int = _setting(
        0o077,
        help="The umask of the lake's files, in octal. 077: only the owner reads; 027: the group reads, too.",
        parse=_umask,
        metavar="MASK",
    )
    rebuild: bool = _setting(
        False, help="Rebuild tables that were built with another policy, key, columns or code.", parse=_boolean
    )
    limits: Limits = field(default=Limits())
    zones: Mapping[str, str] = field(default_factory=dict, hash=False)
    explicit: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    unread_serials: StediError | None = field(default=None, compare=False, repr=False)

    @property
    def policy(self) -> Policy:
        """The policy. Raises PolicyError if it is unknown, or not allowed in the environment; or `unread_serials`."""
        if self.unread_serials:
            raise self.unread_serials
        from stedi_common.rules.policy import Policy  # noqa: PLC0415

        return Policy.checked(self.consent, self.pairing, self.defective_serials, self.environment)

    @property
    def reader(self) -> ReaderSettings:
        """What the reader of files needs."""
        return ReaderSettings(self.limits, self.zones)


#: The settings that are options, by name: all but those that are tables of `stedi.toml`.
OPTIONS: Mapping[str, Option] = {
    each.name: replace(each.metadata["option"], name=each.name)
    for each in fields(Settings)
    if "option" in each.metadata
}
