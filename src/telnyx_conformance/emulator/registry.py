"""The resources of one account as its products see them: what they refer to, and what they leave behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.emulator.account import Account
    from telnyx_conformance.emulator.resources import Resources


class Registry(Protocol):
    """Where a product finds what others made and keeps what it made itself."""

    def find(self, resource: str, key: str) -> Mapping[str, Any] | None:
        """Return the record called `key` of a resource without parents, `None` when there is none."""
        ...

    def keep(self, resource: str, key: str, record: Mapping[str, Any]) -> None:
        """Keep a record, in place of the one called `key` if there is one."""
        ...


class NoRegistry:
    """An account without resources: nothing is found and nothing kept."""

    def find(self, resource: str, key: str) -> Mapping[str, Any] | None:  # noqa: ARG002 - the same for everything
        """Find nothing."""
        return None

    def keep(self, resource: str, key: str, record: Mapping[str, Any]) -> None:
        """Keep nothing."""


class AccountRegistry:
    """The resources of `account`."""

    def __init__(self, account: Account, resources: Resources) -> None:
        self._account, self._resources = account, resources

    def find(self, resource: str, key: str) -> Mapping[str, Any] | None:
        """Return the record called `key` of a resource without parents, `None` when there is none."""
        return self._resources.find(self._account, resource, key)

    def keep(self, resource: str, key: str, record: Mapping[str, Any]) -> None:
        """Keep a record in the shape in which the resource is read."""
        self._resources.keep(self._account, resource, dict(record), key)
