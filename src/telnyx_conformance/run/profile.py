"""What must be known to test a target: where it is, its key, what it claims, which destinations and resources may be used."""

from __future__ import annotations

import ipaddress
import os
import re
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

import msgspec

from telnyx_conformance.contract.document import read_contract_file
from telnyx_conformance.contract.model import CONFORMANCE_CLASSES, Edition, Operation, Requirement, SafetyClass
from telnyx_conformance.errors import UnknownName, UsageError, nearest

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

LIVE_URL = "https://api.telnyx.com/v2"
LIVE_KEY = "TELNYX_API_KEY"
EMULATOR_KEYS = "KEYTEST"
EMULATOR_KEY = f"{EMULATOR_KEYS}_conformance"
ALL_CLASSES: tuple[SafetyClass, ...] = ("safe_read", "reversible_write", "async", "destructive", "billable")
# A shorter key, or one that is a plain word, stands in ordinary text too: it could not be told apart and kept out of reports.
SHORTEST_KEY = 8
PLAIN_WORD = re.compile(r"[a-z_]+|[A-Za-z]+")
SENDABLE = re.compile(r"[!-~]+")
UNDOCUMENTED_METHOD = ":method:not-allowed"
ANOTHER_ACCOUNT = ":lifecycles:isolated"
ASIDE = ("from", "connection_id")
Kind = Literal["embedded", "url", "live"]


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What a target says it implements; whatever is not claimed is not applicable, and said so. Empty lists mean all.

    `control` covers what needs calls that come in and far ends that act. `safety` is what the tester allows: on a live target
    the rest of the API is not asked, and the certificate says so.
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
        named = operation.group in self.groups or operation.id in self.operations
        reasons = (
            (operation.server == "storage" and not self.storage, "object storage is not claimed"),
            ((self.groups or self.operations) and not named, f"{operation.id} ({operation.group}) is not claimed"),
            (self.classes and conformance_class not in self.classes, f"class {conformance_class} is not claimed"),
            (
                self.safety and operation.safety not in self.safety,
                f"only {', '.join(self.safety)} operations are claimed",
            ),
            (conformance_class == "webhooks" and not self.webhooks, "webhooks are not claimed"),
        )
        return next((reason for is_refused, reason in reasons if is_refused), "")


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
    real_wait_seconds: float = 700.0
    in_flight: int = 16

    @property
    def is_real(self) -> bool:
        """Whether calling it may cost money or reach people: everything but this machine."""
        return self.kind == "live" or (self.kind == "url" and not is_loopback(self.base_url))

    @property
    def is_asked_for_control(self) -> bool:
        """Whether to ask for the control API: never of Telnyx, which has none."""
        return self.claims.control and self.kind != "live"

    @property
    def has_accounts(self) -> bool:
        """Whether any number of keys can be made up, each of which opens an account of its own: emulators do that."""
        return self.key.startswith(EMULATOR_KEYS)

    def applies(self, edition: Edition, requirement: Requirement) -> str:
        """Return why a requirement is not applicable to this target, or an empty string when it is."""
        operation = edition.operation(requirement.operation)
        return self.claims.refuses(operation, requirement.conformance_class) or self.keeps_from(requirement)

    def keeps_from(self, requirement: Requirement) -> str:
        """Return why a requirement of a claimed operation is not tried all the same, or an empty string."""
        if self.claims.safety and requirement.id.endswith(UNDOCUMENTED_METHOD):
            return "an undocumented method is not tried where not everything is allowed"
        if self.claims.safety and "billable" not in self.claims.safety and requirement.conformance_class == "webhooks":
            return "webhooks follow calls, and calls are not allowed on this target"
        if requirement.id.endswith(ANOTHER_ACCOUNT) and not self.has_accounts:
            return "the profile has one key, and so one account"
        return ""

    def check_names(self, edition: Edition, destinations: Collection[str], *, where: str = "") -> None:
        """Raise `UnknownName` for a group, operation, resource or destination that nobody knows: a typo would claim nothing.

        Destinations may have names of their own, for they are the allow-list too; only a near miss is taken for a typo.
        """
        parameters = {p.name for o in edition.operations for p in o.parameters_in("path")}
        said = (
            ("group in claims", self.claims.groups, {o.group for o in edition.operations}),
            ("operation in claims", self.claims.operations, {o.id for o in edition.operations}),
            ("resource in the profile", self.resources, parameters | set(ASIDE)),
            ("destination in the profile", [d for d in self.destinations if nearest(d, destinations)], destinations),
        )
        for kind, names, known in said:
            for name in names:
                if name not in known:
                    raise UnknownName(kind, name, known, where=where)


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
            raise UnknownName("class in claims", name, CONFORMANCE_CLASSES, where=str(file))
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
    said = {**said, "base_url": LIVE_URL} if target == "live" else said
    target = LIVE_URL if target == "live" else target
    base_url = str(said.get("base_url") or target).rstrip("/")
    for url in (target, base_url):
        _check_url(url)
    kind: Kind = "live" if is_telnyx(base_url) else "url"
    for name, url in (("target", target), ("storage_url", str(said.get("storage_url") or base_url))):
        _check_url(url)
        if is_telnyx(url) != (kind == "live"):
            raise UsageError(
                "one key would go to Telnyx and to somebody else",
                expected="base_url, storage_url and target all at Telnyx, or none of them",
                got=f"{name} {url} beside {base_url}",
            )
    return kind, base_url


def _check_url(url: str) -> None:
    """Raise `UsageError` for what is no plain URL. A live key travels over TLS only, and no URL carries a secret of its own."""
    example = "embedded, live, or a URL such as http://127.0.0.1:12111/v2"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not SENDABLE.fullmatch(url) or "\\" in url:
        raise UsageError(f"not a target: {_without_credentials(url)}", expected=example)
    if "@" in parts.netloc:
        raise UsageError(
            "a target's URL carries no user name and no password", got=_without_credentials(url),
            advice="keep the key in an environment variable and name that in the profile as key_variable",
        )  # fmt: skip
    if parts.query or parts.fragment:
        raise UsageError("a target's URL has no query and no fragment", got=url)
    if is_telnyx(url) and parts.scheme != "https":
        raise UsageError("a live key is never sent without TLS", expected="https://", got=url)


def _without_credentials(url: str) -> str:
    return re.sub(r"//.*@", "//[redacted]@", ascii(url)[1:-1])


def is_telnyx(url: str) -> bool:
    """Tell whether a URL leads to the real thing."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    return host == "telnyx.com" or host.endswith((".telnyx.com", ".telnyxcloudstorage.com"))


def is_loopback(url: str) -> bool:
    """Tell whether a URL leads to this machine."""
    host = (urlsplit(url).hostname or "").lower()
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _key(kind: Kind, base_url: str, variable: str) -> str:
    if kind == "live":
        key = _secret(variable or LIVE_KEY)
        if not key:
            raise UsageError(
                "no key for the live API", expected=f"the environment variable {variable or LIVE_KEY}", got="not set"
            )
        if key.startswith(EMULATOR_KEYS):
            raise UsageError("an emulator's key is never sent to Telnyx", where=f"${variable or LIVE_KEY}")
        return key
    if variable == LIVE_KEY:
        raise UsageError(
            "a live key is never sent to a host that is not Telnyx", got=f"key_variable {LIVE_KEY} for {base_url}",
            advice="keep this target's key in a variable of its own and name that in key_variable",
        )  # fmt: skip
    key = _secret(variable) if variable else EMULATOR_KEY
    if not key:
        raise UsageError(
            "the profile names a key that is not there", expected=f"the environment variable {variable}", got="not set"
        )
    if key == os.environ.get(LIVE_KEY, "").strip():
        raise UsageError(
            "a live key is never sent to a host that is not Telnyx", got=f"${variable} holds the value of ${LIVE_KEY}"
        )
    return key


def _secret(variable: str) -> str:
    """Return the key in an environment variable, empty without one; raise `UsageError` for one that cannot be kept secret."""
    key = os.environ.get(variable, "").strip()
    if not key:
        return ""
    if not SENDABLE.fullmatch(key):
        raise UsageError("not a key", expected="visible ASCII characters without spaces", where=f"${variable}")
    if len(key) < SHORTEST_KEY or PLAIN_WORD.fullmatch(key):
        raise UsageError(
            "the key is too plain to be kept out of reports",
            expected=f"at least {SHORTEST_KEY} characters, and not a mere word", where=f"${variable}",
        )  # fmt: skip
    return key


def _allowed(kind: Kind, base_url: str, allow: tuple[str, ...]) -> tuple[str, ...]:
    """Safe reads by default; everything on this machine, where nothing is real. Asking for a class allows the ones below it."""
    if not allow:
        return ALL_CLASSES if kind == "embedded" or (kind == "url" and is_loopback(base_url)) else ("safe_read",)
    known = (*ALL_CLASSES, "all")
    for name in allow:
        if name not in known:
            raise UnknownName("safety class", name, known)
    if "all" in allow:
        return ALL_CLASSES
    return tuple(dict.fromkeys(("safe_read", *allow)))
