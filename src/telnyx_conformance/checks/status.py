"""Statuses: a request is accepted with its documented status, or refused with one that fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.checks.finding import Finding, outline

if TYPE_CHECKING:
    from collections.abc import Collection

    from telnyx_conformance.contract.exchange import Exchange
    from telnyx_conformance.contract.model import Operation


def status_is_documented(exchange: Exchange, operation: Operation) -> Finding | None:
    """A request that is carried out is answered with one of the documented 2xx statuses."""
    documented = sorted(r.status for r in operation.responses if r.status.startswith("2"))
    if exchange.response is not None and str(exchange.response.status) in documented:
        return None
    return Finding(check="status", expected=" or ".join(documented), actual=outline(exchange))


def is_answered(exchange: Exchange) -> Finding | None:
    """Whatever the status, an answer comes, and comes to its end."""
    if exchange.response is not None:
        return None
    return Finding(check="answered", expected="an answer", actual=exchange.error)


def is_accepted(exchange: Exchange) -> Finding | None:
    """A valid request is carried out: any 2xx."""
    if exchange.response is not None and exchange.response.is_success:
        return None
    return Finding(check="accepted", expected="2xx: the request is valid", actual=outline(exchange))


def is_refused(exchange: Exchange, statuses: Collection[int]) -> Finding | None:
    """A request that breaks a rule is refused with one of `statuses`."""
    if exchange.response is not None and exchange.response.status in statuses:
        return None
    wanted = " or ".join(str(s) for s in sorted(statuses))
    return Finding(check="refused", expected=f"{wanted}: the request is refused", actual=outline(exchange))


def is_not(exchange: Exchange, statuses: Collection[int], because: str) -> Finding | None:
    """The status is none of `statuses`, each of which would contradict `because`."""
    if exchange.response is not None and exchange.response.status not in statuses:
        return None
    unwanted = ", ".join(str(s) for s in sorted(statuses))
    return Finding(check="routed", expected=f"none of {unwanted}: {because}", actual=outline(exchange))
