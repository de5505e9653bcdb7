"""The gate before every request: what the profile does not allow is not sent. Costs and reach are decided here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.run.profile import Profile

DIALLED = ("to", "To", "phone_number", "phone_numbers")


class Gate:
    """Decides, before sending, whether an operation may be called on this target, and keeps the billable budget.

    `created` is the ledger: ids of resources that this run created. Only those are ever deleted on a target that is not embedded.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._spent = 0
        self.created: set[str] = set()

    @property
    def is_free(self) -> bool:
        """Nothing is real on the embedded target."""
        return self._profile.kind == "embedded"

    def refuses(self, operation: Operation) -> str:
        """Return why the profile does not allow the operation at all, or an empty string."""
        if operation.safety in self._profile.allow:
            return ""
        return f"{operation.safety} operations are not allowed on this target (--allow {operation.safety})"

    def objects(
        self, operation: Operation, path_values: dict[str, Any], body: Any, *, names_nothing: bool = False
    ) -> str:
        """Return why this very request must not be sent, or an empty string; spends from the billable budget when it may.

        `names_nothing`: its path carries an id that we made up to be refused, so that nothing of anybody's can be meant.
        """
        reason = self.refuses(operation)
        if reason or self.is_free:
            return reason
        if operation.method == "DELETE" and not names_nothing and not self._owns(path_values):
            return "only what this run created is deleted"
        if self._profile.kind != "live":
            return ""
        if operation.safety == "billable":
            return self._billable(body)
        return ""

    def _owns(self, path_values: dict[str, Any]) -> bool:
        return any(str(value) in self.created for value in path_values.values())

    def _billable(self, body: Any) -> str:
        if self._spent >= self._profile.billable_budget:
            return f"the billable budget of {self._profile.billable_budget} requests is spent"
        allowed = set(self._profile.destinations.values())
        for destination in _destinations(body):
            if destination not in allowed:
                return f"destination {destination} is not on the profile's list"
        self._spent += 1
        return ""


def _destinations(body: Any) -> list[str]:
    if not isinstance(body, dict):
        return []
    found: list[str] = []
    for name in DIALLED:
        value = body.get(name)
        found += [value] if isinstance(value, str) else [v for v in value or [] if isinstance(v, str)]
    return found
