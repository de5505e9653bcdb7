"""`emulate`: serve the embedded target over HTTP."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

import click

from telnyx_conformance.contract.document import DEFAULT_EDITION
from telnyx_conformance.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command(
    epilog="""\b
The API is served under /v2, object storage under /s3, the control API under /_control.
Any key that begins with KEYTEST is an account of its own:

\b
  curl -H 'Authorization: Bearer KEYTEST_1' http://127.0.0.1:12111/v2/phone_numbers
"""
)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="Address to bind; loopback unless you say otherwise."
)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=12111, show_default=True, help="Port; 0 chooses a free one."
)
@click.option("--edition", default=DEFAULT_EDITION, show_default=True, help="Edition of the contract.")
@click.option("--mode", type=click.Choice(["stateful", "stub"]), default="stateful", show_default=True,
              help="stateful keeps what is created; stub answers for any id.")  # fmt: skip
@click.option("--clock", type=click.Choice(["auto", "manual", "real"]), default="auto", show_default=True,
              help="auto jumps to what is due next, manual waits for the control API, real follows the wall.")  # fmt: skip
@click.option("--seed", default=1, show_default=True, help="Seed of the ids.")
@click.option("--api-key", "keys", multiple=True, metavar="KEY", help="Accept this key too; may be repeated.")
@click.option("--mutant", default="", metavar="ID", help="Plant this fault; `mutants list` names them.")
@click.option(
    "--variant", default="", metavar="ID", help="Differ where the contract permits; `mutants variants` names how."
)
@click.option(
    "--control/--no-control", default=True, show_default=True, help="Serve the control API, which the real thing lacks."
)
@click.option("--allow-remote-webhooks", is_flag=True, help="Send webhooks to other machines as well.")
def emulate(
    host: str,
    port: int,
    edition: str,
    mode: Literal["stateful", "stub"],
    clock: Literal["auto", "manual", "real"],
    seed: int,
    keys: tuple[str, ...],
    mutant: str,
    variant: str,
    control: bool,
    allow_remote_webhooks: bool,
) -> None:
    """Serve a stateful emulator of the whole API on this machine."""
    from telnyx_conformance.contract.document import load_edition
    from telnyx_conformance.emulator.core import Emulator
    from telnyx_conformance.emulator.courier import Courier
    from telnyx_conformance.emulator.server import Server, listening_socket
    from telnyx_conformance.interruption import heed_termination

    known = load_edition(edition)
    fault = None
    if mutant and variant:
        raise UsageError("two things at once", expected="--mutant or --variant", got="both")
    if variant:
        from telnyx_conformance.mutants.variants import variant_called

        fault = variant_called(variant).fault(known)
    if mutant:
        from telnyx_conformance.mutants.catalogue import mutant_called
        from telnyx_conformance.mutants.planting import plant

        fault = plant(known, mutant_called(known, mutant))
    bound = listening_socket(host, port, allow_remote=host not in LOOPBACK)
    emulator = Emulator(
        known, api_keys=keys, mode=mode, clock=clock, seed=seed, start_time=time.time(),
        courier=Courier(wall=time.time, allow_remote=allow_remote_webhooks), fault=fault,
    )  # fmt: skip
    if mutant:
        click.echo(f"planted: {mutant}", err=True)
    if variant:
        click.echo(f"variant: {variant}", err=True)
    heed_termination()
    with suppress(KeyboardInterrupt):  # ending a server is how one ends it
        Server(emulator, bound, started=_say(emulator.courier.public_key, control=control), control=control).run()


def _say(public_key: str, *, control: bool) -> Callable[[str], None]:
    def said(base_url: str) -> None:
        told = f"control {base_url}/_control" if control else "no control API"
        click.echo(f"{base_url}/v2  (object storage {base_url}/s3, {told})", err=True)
        click.echo(f"webhooks are signed; public key {public_key}", err=True)

    return said
