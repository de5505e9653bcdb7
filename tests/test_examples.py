"""Every example and default that the hardened contract carries satisfies the schema it stands in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.contract.validators import compiled

NAMED = ("properties", "patternProperties", "dependentSchemas", "schemas")


def stated(node: Any, place: str, *, names: bool = False) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every schema that carries an example or a default; under `names` keys are names of members, not keywords."""
    if isinstance(node, Mapping):
        if not names and ("examples" in node or "default" in node) and "in" not in node:
            yield place, node
        for key, part in node.items():
            if names or not (key in ("examples", "default", "enum", "const") or key.startswith("x-")):
                yield from stated(part, f"{place}/{key}", names=not names and key in NAMED)
    elif isinstance(node, list):
        for number, part in enumerate(node):
            yield from stated(part, f"{place}/{number}")


def wrong(document: Mapping[str, Any], schema: Mapping[str, Any]) -> list[Any]:
    validator = compiled(document, schema, "response")
    values = [*schema.get("examples", ()), *([schema["default"]] if "default" in schema else [])]
    return [value for value in values if not validator.is_valid(value)]


def test_every_example_and_default_satisfies_its_schema() -> None:
    document = load_edition().document
    found = {
        place: schema
        for part in ("components", "paths")
        for place, schema in stated(document[part], f"#/{part}", names=part == "paths")
    }
    assert len(found) > 3000
    broken = {place: values for place, schema in found.items() if (values := wrong(document, schema))}
    assert broken == {}


@pytest.mark.parametrize(("keyword", "value"), [("examples", [601]), ("default", 601)])
def test_an_example_beyond_its_bound_is_noticed(keyword: str, value: Any) -> None:
    schema = {"type": "integer", "maximum": 600, keyword: value}
    assert wrong({}, schema) == [601]
