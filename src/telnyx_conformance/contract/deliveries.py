"""Loading delivery contracts: `contracts/deliveries/*.yaml` (every edition) and `contracts/deliveries/<edition>/*.yaml`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract.delivery import (
    Answering,
    BackOff,
    Command,
    DeliveryContract,
    Log,
    Logged,
    Pause,
    Since,
    Situation,
    Tried,
)
from telnyx_conformance.contract.document import contracts_folder, read_contract_file
from telnyx_conformance.contract.files import suggestion
from telnyx_conformance.contract.sequence import Symbol
from telnyx_conformance.errors import ContractError

if TYPE_CHECKING:
    from pathlib import Path

# What an application says unless a contract says otherwise; version 1 has no event ids in a `data` object to follow.
APPLICATION: Mapping[str, Any] = {"webhook_event_url": {"inbox": "primary"}, "webhook_api_version": "2"}


def load_deliveries(edition: str, folder: Path | None = None) -> tuple[DeliveryContract, ...]:
    """Return the delivery contracts that hold for an edition, in order of file and place.

    `folder` replaces `contracts/deliveries`. Raises `ContractError` for a file that breaks the schema and for a name that
    nothing bears.
    """
    base = folder or contracts_folder() / "deliveries"
    found: dict[str, DeliveryContract] = {}
    for file in (*sorted(base.glob("*.yaml")), *sorted((base / edition).glob("*.yaml"))):
        for name, node in read_contract_file(file, "deliveries").items():
            if name in found:
                raise ContractError("two contracts bear one name", got=name, where=f"{file} and {found[name].file}")
            found[name] = _contract(name, node, str(file))
            _consistent(found[name])
    return tuple(found.values())


def _contract(name: str, node: Mapping[str, Any], file: str) -> DeliveryContract:
    since, backoff, log = node.get("since"), node.get("backoff"), node.get("log")
    return DeliveryContract(
        name=name,
        operation=node["operation"],
        claim=node["claim"],
        given=_situation(node),
        event=node["event"],
        attempts=tuple(
            Tried(name=key, inbox=item["inbox"], method=item.get("method", ""))
            for key, item in node.get("attempts", {}).items()
        ),
        silent=tuple(node.get("silent", ())),
        meanwhile=tuple(node.get("meanwhile", ())),
        never=tuple(node.get("never", ())),
        backoff=BackOff(
            attempts=tuple(backoff["attempts"]), at_least=float(backoff["at_least"]), factor=float(backoff["factor"])
        )
        if backoff
        else None,
        since=Since(event=since["event"], at_least=since.get("at_least"), less_than=since.get("less_than"))
        if since
        else None,
        version=node.get("version", "2"),
        log=Log(
            status=log["status"],
            attempts=tuple(
                Logged(
                    inbox=item["inbox"],
                    status=item["status"],
                    answered=item.get("answered", 0),
                    errors=tuple(item.get("errors", ())),
                )
                for item in log["attempts"]
            ),
        )
        if log
        else None,
        levels=dict(node.get("levels", {})),
        level=node["level"],
        source=node["source"],
        file=file,
    )


def _situation(node: Mapping[str, Any]) -> Situation:
    asked = {**APPLICATION, **node.get("application", {})}
    return Situation(
        call=node.get("call", "dialled"),
        to=node.get("to", "rings_out"),
        application=_body({key: value for key, value in asked.items() if value != {"absent": True}}),
        request=_body(node.get("request", {})),
        then=tuple(_step(step) for step in node.get("then", ())),
        inboxes={inbox: tuple(map(_answering, script)) for inbox, script in node["inboxes"].items()},
    )


def _body(node: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: Symbol(*next(iter(value.items()))) if isinstance(value, Mapping) else value for key, value in node.items()
    }


def _step(node: Mapping[str, Any]) -> Command | Pause:
    if "advance" in node:
        return Pause(seconds=float(node["advance"]))
    return Command(operation=node["send"], request=_body(node.get("request", {})))


def _answering(node: Any) -> Answering:
    if isinstance(node, int):
        return Answering(status=node)
    if isinstance(node, str):
        return Answering(behaviour="slow" if node == "slow" else "closed")
    return Answering(status=node["status"], location=node["location"])


def _consistent(contract: DeliveryContract) -> None:
    """Raise `ContractError` for the first name that nothing bears."""
    where = f"{contract.file}: /{contract.name}"
    for kind, name, known in _names(contract):
        if name not in known:
            raise ContractError(
                f"no such {kind} in this contract", expected=", ".join(sorted(known)), got=name, where=where,
                advice=suggestion(name, sorted(known)),
            )  # fmt: skip
    is_slow = any(one.behaviour == "slow" for script in contract.given.inboxes.values() for one in script)
    if is_slow and not contract.given.timeout:
        raise ContractError(
            "how slow a receiver is depends on the application", expected="application.webhook_timeout_secs, at least 1",
            got="none", where=where,
        )  # fmt: skip


def _names(contract: DeliveryContract) -> Iterator[tuple[str, str, set[str]]]:
    given = contract.given
    inboxes, attempts = set(given.inboxes), {one.name for one in contract.attempts}
    logged = contract.log.attempts if contract.log else ()
    named = [*(one.inbox for one in contract.attempts), *(one.inbox for one in logged), *contract.silent]
    named += [one.location for script in given.inboxes.values() for one in script if one.location]
    bodies = [given.application, given.request, *(s.request for s in given.then if isinstance(s, Command))]
    symbols = [value for body in bodies for value in body.values() if isinstance(value, Symbol)]
    named += [symbol.name for symbol in symbols if symbol.kind == "inbox"]
    yield from (("inbox", name, inboxes) for name in named)
    yield from (("attempt", name, attempts) for name in (contract.backoff.attempts if contract.backoff else ()))
