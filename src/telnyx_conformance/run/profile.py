"""What must be known to test a target: where it is, its key, what it claims, which destinations and resources may be used."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec

from telnyx_conformance.contract.document import read_contract_file
from telnyx_conformance.contract.model import CONFORMANCE_CLASSES, Edition, Operation, Requirement, SafetyClass
from telnyx_conformance.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

LIVE_URL = "https://api.telnyx.com/v2"
LIVE_KEY = "TELNYX_API_KEY"
EMULATOR_KEY = "KEYTEST_conformance"
ALL_CLASSES: tuple[SafetyClass, ...] = ("safe_read", "reversible_write", "async", "destructive", "billable")
Kind = Literal["embedded", "url", "live"]


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a target says it implements; whatever is not claimed is not applicable, and said so. Empty lists mean all.

    `safety` is what the tester allows: on a live target the rest of the API is not asked, and the certificate says so.
    """

    groups: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    safety: tuple[SafetyClass, ...] = ()
    storage: bool = False
    webhooks: bool = True
    control: bool = True

    def refuses(self, operation: Operation, conformance_class: str) -> str:
        """Return why an operation's class is not claimed, or an empty string when it is."""
        if operation.server == "storage" and not self.storage:
            return "object storage is not claimed"
        if self.groups and operation.group not in self.groups and operation.id not in self.operations:
            return f"group {operation.group} is not claimed"
        if self.operations and operation.id not in self.operations and operation.group not in self.groups:
            return f"operation {operation.id} is not claimed"
        if self.classes and conformance_class not in self.classes:
            return f"class {conformance_class} is not claimed"
        if self.safety and operation.safety not in self.safety:
            return f"only {', '.join(self.safety)} operations are claimed"
        if conformance_class == "webhooks" and not self.webhooks:
            return "webhooks are not claimed"
        return ""


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A target as its tester describes it. `key` is read from the environment variable `key_variable`, never from a file."""

    kind: Kind
    base_url: str
    storage_url: str = ""
    key: str = ""
    claims: Claims = Claims()
    allow: tuple[SafetyClass, ...] = ("safe_read",)
    billable_budget: int = 0
    destinations: dict[str, str] = {}
    resources: dict[str, str] = {}
    webhook_host: str = "127.0.0.1"
    webhook_port: int = 0
    webhook_url: str = ""
    public_key: str = ""
    request_seconds: float = 10.0
    event_seconds: float = 10.0
    in_flight: int = 16

    def applies(self, edition: Edition, requirement: Requirement) -> str:
        """Return why a requirement is not applicable to this target, or an empty string when it is."""
        operation = edition.operation(requirement.operation)
        return self.claims.refuses(operation, requirement.conformance_class)


def read_profile(target: str, file: Path | None, allow: tuple[str, ...] = ()) -> Profile:
    """Return the profile of `embedded`, `live` or a URL, with what `file` (YAML) says of it.

    Raises `UsageError` for an address, a file or a key that cannot be used.
    """
    said: dict[str, Any] = read_contract_file(file, "profile") if file else {}
    kind, base_url = _where(target, said)
    fields = {k: v for k, v in said.items() if k in Profile.__struct_fields__ and k not in ("kind", "claims", "key")}
    claims = dict(said.get("claims", {}))
    claims.setdefault("storage", kind == "embedded" or bool(said.get("storage_url")))
    for name in claims.get("classes", []):
        if name not in CONFORMANCE_CLASSES:
            raise UsageError(
                f"unknown class in claims: {name}", expected=", ".join(CONFORMANCE_CLASSES), where=str(file)
            )
    allowed = _allowed(kind, base_url, allow or tuple(said.get("allow", ())))
    if len(allowed) < len(ALL_CLASSES):
        claims.setdefault("safety", allowed)
    fields.update(
        kind=kind,
        base_url=base_url,
        key=_key(kind, base_url, said.get("key_variable", "")),
        claims=claims,
        allow=allowed,
    )
    return msgspec.convert(fields, Profile)


def _where(target: str, said: dict[str, Any]) -> tuple[Kind, str]:
    if target == "embedded":
        return "embedded", "http://embedded.invalid/v2"
    if target == "live":
        return "live", LIVE_URL
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError(
            f"not a target: {target}", expected="embedded, live, or a URL such as http://127.0.0.1:12111/v2", got=target
        )
    if parts.query or parts.fragment:
        raise UsageError("a target's URL has no query and no fragment", got=target)
    kind: Kind = "live" if is_telnyx(target) else "url"
    return kind, str(said.get("base_url") or target).rstrip("/")


def is_telnyx(url: str) -> bool:
    """Tell whether a URL leads to the real thing."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    return host == "telnyx.com" or host.endswith((".telnyx.com", ".telnyxcloudstorage.com"))


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine."""
    host = (urlsplit(url).hostname or "").lower()
    return host in ("localhost", "::1") or host.startswith("127.")


def _key(kind: Kind, base_url: str, variable: str) -> str:
    if kind == "live":
        key = os.environ.get(variable or LIVE_KEY, "")
        if not key:
            raise UsageError(
                "no key for the live API", expected=f"the environment variable {variable or LIVE_KEY}", got="not set"
            )
        if key.startswith("KEYTEST"):
            raise UsageError("an emulator's key is never sent to Telnyx", where=f"${variable or LIVE_KEY}")
        return key
    if variable == LIVE_KEY:
        raise UsageError(
            "a live key is never sent to a host that is not Telnyx", got=f"key_variable {LIVE_KEY} for {base_url}",
            advice="keep this target's key in a variable of its own and name that in key_variable",
        )  # fmt: skip
    if variable and not os.environ.get(variable):
        raise UsageError(
            "the profile names a key that is not there", expected=f"the environment variable {variable}", got="not set"
        )
    key = os.environ.get(variable, "") if variable else EMULATOR_KEY
    if key and key == os.environ.get(LIVE_KEY):
        raise UsageError(
            "a live key is never sent to a host that is not Telnyx", got=f"${variable} holds the value of ${LIVE_KEY}"
        )
    return key


def _allowed(kind: Kind, base_url: str, allow: tuple[str, ...]) -> tuple[str, ...]:
    """Safe reads by default; everything on this machine, where nothing is real. Asking for a class allows the ones below it."""
    if not allow:
        return ALL_CLASSES if kind == "embedded" or (kind == "url" and is_loopback(base_url)) else ("safe_read",)
    known = (*ALL_CLASSES, "all")
    for name in allow:
        if name not in known:
            raise UsageError(f"unknown safety class: {name}", expected=", ".join(known))
    if "all" in allow:
        return ALL_CLASSES
    return tuple(dict.fromkeys(("safe_read", *allow)))
