"""Schemathesis, behind this module only: its positive and negative cases of an operation as probes.

What its generator makes is used, its verdicts are not: they change between releases. Pinned in pyproject.toml.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import reject
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core import NOT_SET

from telnyx_conformance.contract.bundle import bundle
from telnyx_conformance.contract.fields import is_json
from telnyx_conformance.fuzzing.probes import as_probe, sendable

if TYPE_CHECKING:
    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.plan.probe import Probe

STAND_IN = "stand-in"
"""Path values are never Schemathesis' own: the run fills in what exists."""


class SchemathesisCases:
    """Cases of one edition's operations. Schemathesis reads the document when a case is first asked for."""

    def __init__(self, edition: Edition) -> None:
        self._edition = edition

    @cached_property
    def _schema(self) -> Any:
        # A bearer token is ours to send, and the gate's to guard.
        config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
        return schemathesis.openapi.from_dict(bundle(self._edition), config=config)

    def load(self) -> None:
        """Read the document now rather than with the first case."""
        _ = self._schema

    def positive(self, operation: Operation) -> st.SearchStrategy[Probe]:
        """Return a strategy of what Schemathesis takes to be valid."""
        return self._cases(operation, "positive")

    def negative(self, operation: Operation) -> st.SearchStrategy[Probe]:
        """Return a strategy of what Schemathesis takes to break the contract."""
        return self._cases(operation, "negative")

    def _cases(self, operation: Operation, mode: str) -> st.SearchStrategy[Probe]:
        path = {p.name: STAND_IN for p in operation.parameters_in("path")}
        cases: st.SearchStrategy[Any] = self._schema[operation.path][operation.method].as_strategy(
            generation_mode=GenerationMode(mode), path_parameters=path
        )
        return cases.map(lambda case: _as_probe(operation, case))


def _as_probe(operation: Operation, case: Any) -> Probe:
    """Return a case as a probe; its `expect` is Schemathesis' own word. What no client can send is thrown away."""
    body, raw, media_type = _content(case)
    documented = {p.name.lower() for p in operation.parameters_in("header")}
    headers = {str(n): str(v) for n, v in (case.headers or {}).items() if str(n).lower() in documented}
    probe = as_probe(
        operation,
        "schemathesis",
        "refuse" if case.meta.generation.mode.is_negative else "accept",
        query=dict(case.query or {}) if isinstance(case.query, dict) else {},
        headers=headers,
        body=body,
        raw=raw,
        media_type=media_type,
    )
    return probe if sendable(probe) else reject()


def _content(case: Any) -> tuple[Any, bytes | None, str]:
    """Return (JSON value, bytes, media type); a body that is absent is neither."""
    media_type = case.media_type or ""
    if case.body is NOT_SET or not media_type:
        return None, None, ""
    body = case.body
    if isinstance(body, bytes):
        return None, body, media_type
    if body is None:
        return None, b"null", media_type
    if isinstance(body, dict | list) or is_json(media_type):
        return _plain(body), None, media_type
    return None, str(body).encode(errors="replace"), media_type


def _plain(value: Any) -> Any:
    """Return a copy of plain JSON values: Schemathesis' own kinds of text and bytes become texts."""
    if isinstance(value, dict):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, bytes):
        return value.decode("latin-1")
    return str(value) if isinstance(value, str) else value
