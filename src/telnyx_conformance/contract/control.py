"""The control API as a contract: an OpenAPI document of its own beside the editions, read like one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from telnyx_conformance.contract.document import build_edition
from telnyx_conformance.contract.files import contracts_folder, read_contract_file

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition


@cache
def load_control() -> Edition:
    """Return `contracts/control.yaml`; its operations cost nothing and touch nobody.

    Raises `ContractError` for a file that breaks its schema.
    """
    document = read_contract_file(contracts_folder() / "control.yaml", "control")
    ids = [node["operationId"] for item in document["paths"].values() for node in item.values()]
    return build_edition("control", document, dict.fromkeys(ids, "safe_read"))
