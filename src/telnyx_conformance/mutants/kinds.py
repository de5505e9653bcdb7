"""Kinds of requirements: what a kill matrix must show of each, for a kind that kills nothing proves nothing."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from telnyx_conformance.contract.model import ON_REQUEST
from telnyx_conformance.run.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telnyx_conformance.mutants.mutant import Mutant

# What random requests and programs show is what other requirements name.
AT_RANDOM = frozenset({*ON_REQUEST, "models"})


def kind_of(requirement: str) -> str:
    """Return the kind of a requirement by its id, such as `request:maximum` or `webhooks:order`."""
    place, kind = requirement.split(":")[1:3]
    return f"{place.partition('.')[0]}:{kind.partition('=')[0]}"


def binding_kinds(edition: str) -> dict[str, str]:
    """Return the kind of every requirement that binds, by id, but for those that no single fault names."""
    required = Settings(edition=edition).everything()
    binding = (r for r in required if r.level != "MAY" and r.conformance_class not in AT_RANDOM)
    return {r.id: kind_of(r.id) for r in binding}


def by_kind(mutants: Iterable[Mutant], kinds: dict[str, str]) -> dict[str, list[Mutant]]:
    """Return for each kind the mutants that a requirement of it names, those of operations with few requirements first."""
    size: dict[str, int] = defaultdict(int)
    for name in kinds:
        size[name.partition(":")[0]] += 1
    found: dict[str, list[Mutant]] = {kind: [] for kind in sorted(set(kinds.values()))}
    for mutant in sorted(mutants, key=lambda m: (size[m.operation], m.id)):
        for kind in {kinds[name] for name in mutant.sees if name in kinds}:
            found[kind].append(mutant)
    return found
