"""Opening a run: the embedded emulator in process, or a connection over the network; and a first look whether anybody answers."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import aiohttp
from httpx_aiohttp import AiohttpTransport

from telnyx_conformance.contract.exchange import Request
from telnyx_conformance.contract.lifecycles import load_lifecycles
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.embedded import EmbeddedTransport
from telnyx_conformance.errors import IncompleteError, UsageError
from telnyx_conformance.inbox.receiver import Inbox
from telnyx_conformance.inbox.signature import Verifier
from telnyx_conformance.run.client import Client
from telnyx_conformance.run.control import Control, control_url
from telnyx_conformance.run.core import AsyncCore
from telnyx_conformance.run.evidence import EvidenceLog
from telnyx_conformance.run.redaction import Redactor
from telnyx_conformance.run.session import FIRST_LOOK, Session

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from telnyx_conformance.run.profile import Profile
    from telnyx_conformance.run.settings import Settings

TLS_ADVICE = "name a certificate authority of your own in the environment variable SSL_CERT_FILE"
# aiohttp adds these by itself; a probe sends exactly what it says.
ADDED_BY_AIOHTTP = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
# Node's and uvicorn's servers close a connection that idles for 5 s; one that we reuse then is reset under our request.
IDLE_SECONDS = 3.0


async def open_session(
    settings: Settings,
    folder: Path,
    worker: str,
    *,
    attach: bool = False,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Session:
    """Connect to the target, start the inbox and open the evidence log of this worker.

    `transport` carries all requests in place of the one that the profile's kind of target asks for.
    """
    profile = settings.profile
    evidence = EvidenceLog(folder / f"evidence.{worker}.ndjson", [profile.key], worker=worker)
    transport = transport or _transport(settings)
    clients = {"api": _client(profile, profile.base_url, transport)}
    storage = profile.storage_url or (_root(profile.base_url) + "/s3" if profile.kind == "embedded" else "")
    if storage:
        clients["storage"] = _client(profile, storage, transport)
    inbox = Inbox(
        host=profile.webhook_host, port=profile.webhook_port, public_url=profile.webhook_url, scrub=evidence.redact
    )
    control, public_key = None, profile.public_key
    try:
        await inbox.start()
        if profile.is_asked_for_control:
            asked = Control(_client(profile, control_url(profile.base_url), transport))
            found = await asked.public_key(profile.key)
            if _is_public_key(found):
                control, public_key = asked, found
        if public_key:
            inbox.verify_with(public_key)
    except BaseException:
        evidence.close()
        await inbox.stop()
        await transport.aclose()
        raise
    return Session(settings, evidence, clients, control=control, inbox=inbox, worker=worker, attach=attach)


def preflight(settings: Settings) -> None:
    """Ask the target one harmless question; raise `IncompleteError` when nobody answers, `UsageError` for a wrong public key."""
    if settings.profile.public_key:
        Verifier(settings.profile.public_key)
    if settings.profile.kind == "embedded":
        return
    with AsyncCore() as core:
        error = core.run(_first_look(settings))
    if error:
        raise IncompleteError(
            "the target does not answer", where=settings.profile.base_url, expected="any HTTP response", got=error,
            advice=TLS_ADVICE if "TLS" in error else "is it running, and is the URL right?",
        )  # fmt: skip


async def _first_look(settings: Settings) -> str:
    profile = settings.profile
    client = _client(profile, profile.base_url, _transport(settings))
    try:
        headers = (("authorization", f"Bearer {profile.key}"),)
        exchange = await client.send(Request(method="GET", path=FIRST_LOOK, headers=headers))
    finally:
        await client.close()
    return exchange.error


def _client(profile: Profile, url: str, transport: httpx.AsyncBaseTransport) -> Client:
    return Client(url, transport, seconds=profile.request_seconds, scrub=Redactor([profile.key]))


def _is_public_key(text: str) -> bool:
    """Whether a target that answers anything to anybody really named its signing key."""
    try:
        Verifier(text)
    except UsageError:
        return False
    return True


def _root(url: str) -> str:
    return control_url(url).removesuffix("/_control")


def _transport(settings: Settings) -> httpx.AsyncBaseTransport:
    if settings.profile.kind == "embedded":
        lifecycles = load_lifecycles(settings.edition.name)
        return EmbeddedTransport(Emulator(settings.edition, seed=settings.seed, lifecycles=lifecycles))
    return AiohttpTransport(client=lambda: network_session(settings.profile))


def network_session(profile: Profile) -> aiohttp.ClientSession:
    """Return what carries requests over the network, adding nothing of its own to them."""
    connector = aiohttp.TCPConnector(
        limit=profile.in_flight, keepalive_timeout=IDLE_SECONDS, ssl=ssl.create_default_context()
    )
    return aiohttp.ClientSession(
        connector=connector,
        skip_auto_headers=ADDED_BY_AIOHTTP,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )
