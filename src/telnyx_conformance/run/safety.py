"""The gate before every request: what the profile does not allow is not sent. Costs and reach are decided here and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.run.profile import ALL_CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.contract.model import Operation
    from telnyx_conformance.run.profile import Profile

# Fields, at whatever depth, and path parameters that say who is called, written to or ordered.
DIALLED = frozenset({"to", "To", "phone_number", "phone_numbers", "sip_address"})


class Gate:
    """Decides, before sending, whether an operation may be called on this target, and keeps the billable budget.

    `created` is the ledger: ids of resources that this run created. Only those are ever deleted on a target beyond this machine.
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
        self,
        operation: Operation,
        path_values: dict[str, Any],
        body: Any,
        *,
        names_nothing: bool = False,
        method: str = "",
    ) -> str:
        """Return why this very request must not be sent, or an empty string; spends from the billable budget when it may.

        `names_nothing`: its path carries an id that we made up to be refused, so that nothing of anybody's can be meant.
        `method` is the one sent, where it is not the operation's own.
        """
        reason = self.refuses(operation)
        if reason or self.is_free:
            return reason
        if not self._profile.is_real:
            return ""
        if operation.method == "DELETE" and not names_nothing and not self._owns(path_values):
            return "only what this run created is deleted"
        if method not in ("", operation.method) and len(self._profile.allow) < len(ALL_CLASSES):
            return f"{method} is not documented here, and not everything is allowed on this target"
        return self._reach({**path_values, "body": body}, operation) or self._cost(operation)

    def _owns(self, path_values: dict[str, Any]) -> bool:
        """Whether the last id of a path, the one that is deleted, is in the ledger."""
        return bool(path_values) and str(list(path_values.values())[-1]) in self.created

    def _reach(self, said: dict[str, Any], operation: Operation) -> str:
        if operation.safety == "safe_read":
            return ""
        allowed = set(self._profile.destinations.values())
        wrong = next((d for d in _destinations(said) if d not in allowed), "")
        return f"destination {wrong} is not on the profile's list" if wrong else ""

    def _cost(self, operation: Operation) -> str:
        if operation.safety != "billable":
            return ""
        if self._spent >= self._profile.billable_budget:
            return f"the billable budget of {self._profile.billable_budget} requests is spent"
        self._spent += 1
        return ""


def _destinations(node: Any, *, named: bool = False) -> Iterator[str]:
    """Yield every text below a field that names a destination."""
    if isinstance(node, dict):
        for name, value in node.items():
            yield from _destinations(value, named=named or name in DIALLED)
    elif isinstance(node, list | tuple):
        for value in node:
            yield from _destinations(value, named=named)
    elif named and node is not None:
        yield str(node)
