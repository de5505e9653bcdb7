"""What keeps the contract is refused by no suite, however it differs from the emulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from telnyx_conformance.cli import commands
from telnyx_conformance.errors import UnknownName
from telnyx_conformance.mutants.bodies import Changed
from telnyx_conformance.mutants.certifying import Wire, certify, selected
from telnyx_conformance.mutants.judging import Bench
from telnyx_conformance.mutants.variants import VARIANTS, Variant, variant_called
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Some of each class, and of each way in which an answer can be shaped: one resource, a list, a command with its events.
PROOFS = [
    ("surface", "GetBillingGroup"), ("headers", "CreateBillingGroup"), ("requests", "UpdateBillingGroup"),
    ("requests", "TransferCall"), ("envelopes", "UpdateBillingGroup"), ("envelopes", "ListOutboundVoiceProfiles"),
    ("envelopes", "ListFaxes"), ("envelopes", "CreateNotificationSetting"), ("webhooks", "transfer-answered"),
    ("webhooks", "transfer-timeout-5"), ("commands", "transfer-answered"), ("commands", "transfer-ended"),
]  # fmt: skip


@pytest.fixture(scope="module")
def bench_for() -> Iterator[Callable[[Variant], Bench]]:
    opened: dict[bool, Bench] = {}

    def bench(variant: Variant) -> Bench:
        if variant.on_the_wire not in opened:
            opened[variant.on_the_wire] = Bench(carried=Wire if variant.on_the_wire else None)
        return opened[variant.on_the_wire]

    yield bench
    for one in opened.values():
        one.close()


def test_there_are_at_least_50_variants_and_each_has_its_own_id_and_a_reason() -> None:
    assert len(VARIANTS) >= 50
    assert len({variant.id for variant in VARIANTS}) == len(VARIANTS)
    assert [variant.id for variant in VARIANTS if not variant.because] == []


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda v: v.id)
def test_a_variant_makes_a_difference_and_conforms(bench_for: Callable[[Variant], Bench], variant: Variant) -> None:
    bench = bench_for(variant)
    sequences = {s.name: s for s in bench.settings.all_sequences}
    proofs = [(p, sequences.get(subject) or bench.settings.edition.operation(subject)) for p, subject in PROOFS]
    said = certify(bench, variant, proofs)
    assert (said.refused, said.unjudged, said.differs) == ((), (), True)


def test_what_breaks_the_contract_does_not_conform(bench_for: Callable[[Variant], Bench]) -> None:
    def wrong(document: Any) -> Any:
        return {**document, "data": {**document["data"], "id": 7}}

    broken = Variant(id="broken", because="it is not permitted", make=lambda _: Changed(wrong))
    bench = bench_for(broken)
    said = certify(bench, broken, [("envelopes", bench.settings.edition.operation("UpdateBillingGroup"))])
    assert not said.conforms
    assert "UpdateBillingGroup:response.200:schema" in said.line
    assert said.line.startswith("broken: DOES NOT CONFORM")


def test_a_selection_is_proven_in_every_class_that_certify_proves() -> None:
    proofs = list(selected(Settings(only=["TransferCall"])))
    assert {proven for proven, _ in proofs} == {"surface", "requests", "envelopes", "headers", "commands", "webhooks"}


def test_a_variant_that_there_is_not_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName) as wrong:
        variant_called("events-twise")
    assert wrong.value.advice == "did you mean events-twice?"


def test_the_command_lists_variants_and_certifies_them() -> None:
    listed = CliRunner().invoke(commands, ["mutants", "variants"])
    assert len(listed.stdout.splitlines()) == len(VARIANTS)
    ran = CliRunner().invoke(
        commands,
        ["mutants", "variants", "--run", "--variant", "members-sorted", "--only", "GetBillingGroup", "--workers", "1"],
        standalone_mode=False,
    )
    assert ran.return_value == 0
    assert ran.stdout.splitlines()[0].startswith("members-sorted: conforms, ")
    assert ran.stdout.splitlines()[-1] == "1 of 1 variants conform"
