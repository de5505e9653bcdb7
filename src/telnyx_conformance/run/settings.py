"""What a run was asked to do, read and checked once: edition, target, selection, seed."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from telnyx_conformance.contract.catalogue import ErrorCatalogue, load_errors
from telnyx_conformance.contract.deliveries import load_deliveries
from telnyx_conformance.contract.delivery import DeliveryContract
from telnyx_conformance.contract.delivery_requirements import delivery_requirements
from telnyx_conformance.contract.document import DEFAULT_EDITION, load_edition
from telnyx_conformance.contract.fuzz_requirements import fuzz_requirements
from telnyx_conformance.contract.lifecycles import load_lifecycles
from telnyx_conformance.contract.model import CONFORMANCE_CLASSES, ON_REQUEST, Edition, Operation, Requirement
from telnyx_conformance.contract.model_requirements import MODELS, model_requirements
from telnyx_conformance.contract.requirements import enumerate_requirements
from telnyx_conformance.contract.sequence_requirements import sequence_requirements
from telnyx_conformance.contract.sequences import load_sequences
from telnyx_conformance.errors import UnknownName, UsageError
from telnyx_conformance.run.destinations import magic_destinations
from telnyx_conformance.run.profile import Profile, read_profile
from telnyx_conformance.run.states import CALL, needs_inbound

if TYPE_CHECKING:
    from collections.abc import Sequence as Several

    from telnyx_conformance.contract.lifecycles import Resource
    from telnyx_conformance.contract.sequence import Sequence

STRENGTHS = (1, 2)  # how many values of different places are combined in accepted probes


class Settings:
    """One run's settings. Reading a bad one raises `UsageError`."""

    def __init__(
        self,
        *,
        target: str = "embedded",
        edition: str = "",
        only: Several[str] = (),
        classes: Several[str] = (),
        profile: str = "",
        allow: Several[str] = (),
        seed: int = 1,
        waivers: str = "",
        shard: str = "",
        strength: int = 1,
    ) -> None:
        for name in classes:
            if name not in CONFORMANCE_CLASSES:
                raise UnknownName("conformance class", name, CONFORMANCE_CLASSES)
        self.target, self.seed = target, seed
        if strength not in STRENGTHS:
            raise UsageError("not a strength", expected=" or ".join(map(str, STRENGTHS)), got=str(strength))
        self.strength = strength
        self.shard = read_shard(shard) if shard else (1, 1)
        self.waivers = Path(waivers) if waivers else None
        self.classes, self.only = tuple(classes), tuple(only)
        self.edition: Edition = load_edition(edition or DEFAULT_EDITION)
        self.selected = self.edition.select(only)
        self.profile: Profile = read_profile(target, Path(profile) if profile else None, tuple(allow))
        self.profile.check_names(self.edition, magic_destinations(), where=profile)
        self.errors: ErrorCatalogue = load_errors()
        self._requirements: dict[str, tuple[Requirement, ...]] = {}

    def chosen(self, proven: str) -> tuple[Operation, ...]:
        """Return the selected operations whose class `proven` this target claims. Some classes must be asked for."""
        if proven not in self.classes and (self.classes or proven in ON_REQUEST):
            return ()
        claimed = tuple(o for o in self.selected if not self.profile.claims.refuses(o, proven))
        if proven not in ON_REQUEST and proven != MODELS:
            return claimed
        return tuple(o for o in claimed if any(r.conformance_class == proven for r in self.required(o)))

    @cached_property
    def all_sequences(self) -> tuple[Sequence, ...]:
        """The sequence contracts of the selected operations."""
        ids = {operation.id for operation in self.selected}
        return tuple(s for s in load_sequences(self.edition.name) if s.command in ids)

    def sequences(self, proven: str) -> tuple[Sequence, ...]:
        """Return the sequences of claimed operations that say something about the class `proven`."""
        ids = {operation.id for operation in self.chosen(proven)}
        return tuple(
            s for s in self.all_sequences
            if s.command in ids
            and any(r.conformance_class == proven and not self.keeps_from(r) for r in self.required_of(s))
        )  # fmt: skip

    @cached_property
    def all_deliveries(self) -> tuple[DeliveryContract, ...]:
        """The delivery contracts of the selected operations."""
        ids = {operation.id for operation in self.selected}
        return tuple(d for d in load_deliveries(self.edition.name) if d.operation in ids)

    def deliveries(self, proven: str) -> tuple[DeliveryContract, ...]:
        """Return the delivery contracts of claimed operations that say something about the class `proven`."""
        ids = {operation.id for operation in self.chosen(proven)} if proven == "webhooks" else set()
        return tuple(
            d for d in self.all_deliveries
            if d.operation in ids and not all(map(self.keeps_from, self.required_of(d)))
        )  # fmt: skip

    def resources(self, proven: str) -> tuple[Resource, ...]:
        """Return the resources about whose lives the class `proven` says something, as far as operations are claimed."""
        lifecycles = load_lifecycles(self.edition.name)
        telling = {
            r.operation
            for o in self.chosen(proven)
            for r in self.required(o)
            if r.conformance_class == proven and not self.keeps_from(r)
        }
        placed = (lifecycles.of(o.id).resource for o in self.selected if o.id in telling)
        return tuple({resource.name: resource for resource in placed}.values())

    def required_in(self, resource: Resource) -> tuple[Requirement, ...]:
        """Return the requirements of the selected operations of a resource."""
        named = {name for names in resource.operations.values() for name in names}
        return tuple(r for o in self.selected if o.id in named for r in self.required(o))

    def required(self, operation: Operation) -> tuple[Requirement, ...]:
        """Return the requirements of an operation, except those of its sequences and deliveries."""
        if operation.id not in self._requirements:
            found = enumerate_requirements(self.edition, operation)
            asked = fuzz_requirements(operation, found) if "fuzz" in self.classes else ()
            self._requirements[operation.id] = (*found, *model_requirements(operation), *asked)
        return self._requirements[operation.id]

    def required_of(self, contract: Sequence | DeliveryContract) -> tuple[Requirement, ...]:
        """Return the requirements of a sequence or of a delivery."""
        key = f"{type(contract).__name__} {contract.name}"
        if key not in self._requirements:
            self._requirements[key] = (
                delivery_requirements([contract], self.edition)
                if isinstance(contract, DeliveryContract)
                else sequence_requirements([contract], self.edition)
            )
        return self._requirements[key]

    @cached_property
    def _of_control(self) -> frozenset[str]:
        """The requirements that cannot be judged without the control API."""
        contracts: list[Sequence | DeliveryContract] = [*self.all_sequences, *self.all_deliveries]
        found = [r for contract in contracts if contract.needs_control for r in self.required_of(contract)]
        if CALL not in self.profile.resources:
            found += [r for operation in self.selected if needs_inbound(operation) for r in self.required(operation)]
        return frozenset(r.id for r in found)

    def keeps_from(self, requirement: Requirement) -> str:
        """Return why a requirement of a claimed operation is not tried all the same, or an empty string."""
        if not self.profile.claims.control and requirement.id in self._of_control:
            return "it needs the control API, which is not claimed"
        return self.profile.keeps_from(requirement)

    def applies(self, requirement: Requirement) -> str:
        """Return why a requirement is not applicable to the target, or an empty string when it is."""
        return self.profile.applies(self.edition, requirement) or self.keeps_from(requirement)

    def planned(self) -> list[Requirement]:
        """Return every requirement of the selection, claimed or not: the denominator of every figure."""
        found = [r for operation in self.selected for r in self.required(operation)]
        found += [r for sequence in self.all_sequences for r in self.required_of(sequence)]
        found += [r for delivery in self.all_deliveries for r in self.required_of(delivery)]
        return [r for r in found if not self.classes or r.conformance_class in self.classes]

    def everything(self) -> list[Requirement]:
        """Return every requirement of the edition, selected or not."""
        found = [r for operation in self.edition.operations for r in self.required(operation)]
        if "fuzz" not in self.classes:
            found += [r for o in self.edition.operations for r in fuzz_requirements(o, self.required(o))]
        found += [r for sequence in load_sequences(self.edition.name) for r in self.required_of(sequence)]
        return found + [r for delivery in load_deliveries(self.edition.name) for r in self.required_of(delivery)]


def read_shard(text: str) -> tuple[int, int]:
    """Return (I, N) of `I/N`; raise `UsageError` for anything else."""
    index, slash, count = text.partition("/")
    if slash and index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count):
        return int(index), int(count)
    raise UsageError("not a shard", expected="I/N with 1 <= I <= N, such as 2/8", got=text)
