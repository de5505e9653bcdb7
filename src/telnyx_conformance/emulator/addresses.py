"""Where a webhook may go: what an address says of its host, without looking anything up."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

from yarl import URL

ELSEWHERE = "not a loopback address; the emulator delivers to others only when allowed to"


def objection(url: str, *, allow_remote: bool = False) -> str:
    """Say why `url` must not be delivered to, or nothing."""
    host = host_of(url)
    if not host:
        return "not an http URL"
    return "" if allow_remote or is_loopback(host) else ELSEWHERE


@lru_cache(maxsize=1024)
def host_of(url: str) -> str:
    """Return the host that an http URL names, as the client that connects reads it; empty for any other URL."""
    try:
        target = URL(url)
    except ValueError:
        return ""
    return (target.host or "") if target.scheme in ("http", "https") else ""


@lru_cache(maxsize=1024)
def origin_of(url: str) -> tuple[str, int | None]:
    """Return host and port that an http URL names."""
    target = URL(url)
    return target.host or "", target.port


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine, by its name or address alone: nothing is looked up."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
