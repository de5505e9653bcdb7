"""JSON that is nested too deeply to be judged: validators and encoders recurse, and a target may send anything."""

from __future__ import annotations

from typing import Any

import msgspec

MOST_LEVELS = 200  # jsonschema-rs gives up at 255, the interpreter at about 1,000; the deepest documented body has 14


def decoded(body: bytes) -> Any:
    """Return what a JSON text holds. Raises `ValueError` for what is no JSON, or nested more than `MOST_LEVELS` deep."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise ValueError(str(wrong)) from wrong
    if body.count(b"[") + body.count(b"{") > MOST_LEVELS and _is_deeper(value, MOST_LEVELS):
        raise ValueError(f"nested more than {MOST_LEVELS} levels deep")
    return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Look at one level after the other, without recursion."""
    level = [value]
    for _ in range(levels):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return False
    return any(isinstance(inner, dict | list) for inner in level)


def _inside(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in inner if isinstance(one, dict | list)]
