"""The catalogue of refusals: codes, and which situation or broken rule is answered with which of them.

Emulator and judge read the same file, `contracts/errors.yaml`: the emulator sends what stands first, the judge accepts
what is listed.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from telnyx_conformance.contract.document import contracts_folder, read_contract_file
from telnyx_conformance.errors import UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Place = Literal["none", "root", "body", "parameter"]
T = TypeVar("T")
MISSING = frozenset({"required", "dependentRequired"})


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """One documented error code. `statuses` are those it was documented or seen with; empty where nobody says."""

    code: str
    title: str
    statuses: tuple[int, ...] = ()
    detail: str = ""


class Leniency(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is accepted instead of the usual one. No codes means: the codes of the rule that was broken."""

    status: int
    codes: tuple[str, ...]
    reason: str


class Situation(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a request as a whole, and how that is answered.

    `place` is what `source` names: nothing, the root (`/`), the culprit in the body, or the culprit parameter.
    No codes means: the codes of the rule that was broken, see `ErrorCatalogue.codes_for`.
    """

    name: str
    status: int
    codes: tuple[str, ...]
    also: tuple[Leniency, ...]
    place: Place
    detail: str = ""

    @property
    def statuses(self) -> tuple[int, ...]:
        """Every accepted status, the usual one first."""
        return tuple(dict.fromkeys((self.status, *(leniency.status for leniency in self.also))))

    def accepts(self, status: int, code: str, *, rule_codes: Iterable[str] = ()) -> bool:
        """Tell whether this answer fits. `rule_codes` is what `codes_for` gave for the broken rule, if there is one."""
        rule = tuple(rule_codes)
        answers = ((self.status, self.codes), *((leniency.status, leniency.codes) for leniency in self.also))
        return any(status == accepted and code in (codes or rule) for accepted, codes in answers)

    def status_for(self, documented: Iterable[str]) -> int:
        """Return the status to answer with: the first accepted one that the operation documents, else the usual one."""
        known = frozenset(documented)
        return next((status for status in self.statuses if str(status) in known), self.status)


class ErrorCatalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All of `contracts/errors.yaml`."""

    codes: dict[str, Code]
    general: tuple[str, ...]
    situations: dict[str, Situation]
    kinds: dict[str, tuple[str, ...]]
    fields: dict[str, str]
    groups: frozenset[str]

    def title(self, code: str) -> str:
        """Return the documented title of a code; raise `UnknownName` for a code that is not documented."""
        return self.code(code).title

    def code(self, code: str) -> Code:
        """Return what is known of a code; raise `UnknownName` for a code that is not documented."""
        return _known("error code", code, self.codes)

    def situation(self, name: str) -> Situation:
        """Return a situation such as `no_credentials`; raise `UnknownName` with the nearest one otherwise."""
        return _known("situation", name, self.situations)

    def codes_for(self, kind: str, field: str = "", *, group: str = "", format_name: str = "") -> tuple[str, ...]:
        """Return the codes that fit a broken rule, best first: the field's own, the kind's, the general ones.

        `kind` is the JSON Schema keyword (or `null`, `exclusive`); `field` is the last name of the culprit. Only call
        control has codes for single fields: `group` is the operation's group. `format_name` is the value of `format`.
        """
        kind, _, format_name = kind.partition(".") if "." in kind else (kind, "", format_name)
        of_kind = self.kinds.get(f"{kind}.{format_name}") or _known("kind of violation", kind, self.kinds)
        own = self.fields.get(field) if group in self.groups and kind not in MISSING else None
        return tuple(dict.fromkeys((*((own,) if own else ()), *of_kind, *self.general)))


def _known(what: str, name: str, where: Mapping[str, T]) -> T:
    try:
        return where[name]
    except KeyError:
        raise UnknownName(what, name, where, where="contracts/errors.yaml") from None


@cache
def load_errors() -> ErrorCatalogue:
    """Return the catalogue. Raises `ContractError` for a file that breaks its schema."""
    return read_catalogue(read_contract_file(contracts_folder() / "errors.yaml", "errors"))


def read_catalogue(document: Mapping[str, Any]) -> ErrorCatalogue:
    """Return the catalogue that a valid `errors.yaml` document describes."""
    return ErrorCatalogue(
        codes={code: msgspec.convert({"code": code, **facts}, Code) for code, facts in document["codes"].items()},
        general=tuple(row["code"] for row in document["general"]),
        situations={
            name: msgspec.convert({"name": name, **facts}, Situation) for name, facts in document["situations"].items()
        },
        kinds={kind: (*facts["codes"], *facts.get("also", ())) for kind, facts in document["kinds"].items()},
        fields=document["fields"]["codes"],
        groups=frozenset(document["fields"]["groups"]),
    )
