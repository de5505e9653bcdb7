"""A mutant as a value: what is wrong, where, and which requirements name it."""

from __future__ import annotations

from typing import Literal

import msgspec

Category = Literal[
    "validation", "responses", "authentication", "routing", "idempotency", "webhooks", "time", "robustness", "state"
]


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """One fault. `sees` are the requirement ids, or beginnings of ids, that name it: a failure of one is no accident.

    `site` is the place, `kind` the rule there and `variant` what is done to it; `sequence` or `delivery` names the contract
    that shows the fault, both are empty where single requests or random programs do.
    """

    id: str
    operator: str
    category: Category
    operation: str
    site: str
    kind: str
    variant: str
    sees: tuple[str, ...]
    conformance_class: str
    sequence: str = ""
    delivery: str = ""
