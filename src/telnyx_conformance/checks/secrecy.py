"""Secrets: who asks gives a key, and nobody who reads the answer, or a log of it, may learn it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telnyx_conformance.checks.finding import Finding, outline

if TYPE_CHECKING:
    from telnyx_conformance.contract.exchange import Exchange


def keeps_key(exchange: Exchange) -> Finding | None:
    """Neither headers nor body of an answer hold the key that came with the request, right or wrong."""
    if exchange.response is None or not exchange.response.echoes_key:
        return None
    return Finding(check="secrecy", expected="an answer without the key of the request", actual=outline(exchange))
