"""The policy: which readings count, and how they are paired (rule 11)."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Self, get_args

from stedi_common.errors import PolicyError
from stedi_common.rules.identity import device

# The settings import the policy, and `stedi --help` is quick.
if TYPE_CHECKING:
    from stedi_common.rules.frames import Frame

Consent = Literal["as-of", "ever"]
Pairing = Literal["owner", "timestamp"]

#: The environments that accept only the defaults of consent and pairing.
PRODUCTION = ("prod", "production")

#: UTF-32 comes first: its mark begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Policy:
    """Which readings count and how they are paired.

    Attributes:
        consent: `as-of` counts a reading from its person's consent on; `ever` ignores instants, never withdrawals.
        pairing: `owner` pairs the readings of a device and of its owner; `timestamp` pairs all of one instant.
        defective_serials: serial numbers that say nothing about who owns the device. They admit nothing under `as-of`.
        defective_rows: makes a frame of them with the column serialnumber, so that no plan of an engine has them. None
            outside of a run.
    """

    consent: Consent = "as-of"
    pairing: Pairing = "owner"
    defective_serials: frozenset[str] = frozenset()
    defective_rows: Callable[[], Frame] | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        # However the list was written, it names devices as landing does.
        serials = frozenset(map(device, self.defective_serials)) - {""}
        object.__setattr__(self, "defective_serials", serials)

    @classmethod
    def checked(cls, consent: str, pairing: str, defective_serials: frozenset[str], environment: str) -> Self:
        """The policy of these settings, checked.

        Args:
            consent: `as-of` or `ever`.
            pairing: `owner` or `timestamp`.
            defective_serials: serial numbers that say nothing about the owner of the device.
            environment: the name of the environment; production accepts only `as-of` with `owner`.

        Raises:
            PolicyError: a value is unknown, or not allowed in the environment.
        """
        _expect("consent", consent, get_args(Consent))
        _expect("pairing", pairing, get_args(Pairing))
        if is_production(environment) and (consent, pairing) != ("as-of", "owner"):
            raise PolicyError(
                f"policy: expected consent=as-of pairing=owner in {environment.strip()}, "
                f"got consent={consent} pairing={pairing}",
                hint="the other policies reproduce published baselines; build those in an environment of their own",
            )
        # The words were checked above, which the type checker cannot see.
        return cls(consent, pairing, defective_serials)  # type: ignore[arg-type]

    def built_with(self, text: str) -> Policy:
        """The policy that a table was built with.

        Args:
            text: the policy in the run summary of the table.

        Returns:
            This policy if the text is its own or cannot be parsed. Else a policy without defective serials, because the
            text has only their digest.
        """
        words = dict(word.partition("=")[::2] for word in text.split())
        known = words.get("consent") in get_args(Consent) and words.get("pairing") in get_args(Pairing)
        if text == str(self) or not known:
            return self
        return Policy(words["consent"], words["pairing"])  # type: ignore[arg-type]

    def __str__(self) -> str:
        """The policy as the run summary has it. Of the defective serials it has a digest only."""
        serials = ""
        if self.defective_serials:
            digest = hashlib.sha256("\n".join(sorted(self.defective_serials)).encode()).hexdigest()
            serials = f" defective={len(self.defective_serials)}:{digest[:16]}"
        return f"consent={self.consent} pairing={self.pairing}{serials}"


def is_production(environment: str) -> bool:
    """Whether the environment accepts only the default policy."""
    return environment.strip().lower() in PRODUCTION


def serials(content: bytes) -> frozenset[str]:
    """The serial numbers in a file, one per line, with or without a byte-order mark.

    Args:
        content: the bytes of the file.

    Returns:
        The normalised serial numbers.

    Raises:
        PolicyError: the file is no text. A list that cannot be read must not count as an empty one.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), "utf-8")
    try:
        lines = content.decode(encoding).splitlines()
    except UnicodeDecodeError as error:
        expected = f"policy: expected a list of defective serial numbers in {encoding.upper()}"
        raise PolicyError(f"{expected}, got other bytes at {error.start}", hint="save it as UTF-8") from None
    return frozenset(map(device, lines)) - {""}


def _expect(name: str, got: str, known: tuple[str, ...]) -> None:
    if got not in known:
        raise PolicyError(f"policy: expected {name} to be one of {', '.join(known)}, got {got!r}")
