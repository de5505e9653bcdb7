"""Recorded requests as a shell script of curl calls: quoted for any shell, the key taken from the environment."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

import msgspec

from telnyx_conformance.report.recorded import KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from telnyx_conformance.report.recorded import Step

Place: TypeAlias = tuple[str | int, ...]
Expressions: TypeAlias = Mapping[str, str]
SHORTEST_ID = 8
LONGEST_ARGUMENT = 16_000
MOST_LEAVES = 2000


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """A value that an answer gave and a later request sends, such as an id: `step` gave it at `place` of its JSON."""

    step: int
    place: Place
    value: str


def learned(steps: Sequence[Step]) -> tuple[Learned, ...]:
    """Return what has to be carried over from answer to request for the steps to work a second time."""
    found: dict[str, Learned] = {}
    for number, step in enumerate(steps[:-1]):
        later = "\n".join(f"{s.url}\n{s.body.decode(errors='replace')}" for s in steps[number + 1 :])
        try:
            document = json.loads(step.answer)
        except (ValueError, RecursionError):
            continue
        for count, (place, value) in enumerate(_leaves(document, ())):
            if count > MOST_LEAVES:
                break
            if value not in found and len(value) >= SHORTEST_ID and (value in later or quote(value, safe="") in later):
                earlier = "\n".join(f"{s.url}\n{s.body.decode(errors='replace')}" for s in steps[: number + 1])
                if value not in earlier:
                    found[value] = Learned(step=number, place=place, value=value)
    return tuple(found.values())


def _leaves(node: Any, place: Place) -> Iterator[tuple[Place, str]]:
    if isinstance(node, str):
        yield place, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, (*place, key))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _leaves(value, (*place, number))


def quoted(text: str, expressions: Expressions) -> str:
    """Quote `text` for a POSIX shell, with some parts of it replaced by expressions such as `"$id_1"`."""
    if not expressions:
        return shlex.quote(text)
    splitter = re.compile("|".join(re.escape(part) for part in sorted(expressions, key=len, reverse=True)))
    pieces, end = [], 0
    for match in splitter.finditer(text):
        if match.start() > end:
            pieces.append(shlex.quote(text[end : match.start()]))
        pieces.append(expressions[match[0]])
        end = match.end()
    if end < len(text) or not pieces:
        pieces.append(shlex.quote(text[end:]))
    return "".join(pieces)


def curl(step: Step, expressions: Expressions | None = None, *, body_file: str = "") -> str:
    """Return one curl call over several lines. A body that no argument can carry is read from `body_file`."""
    expressions = {KEY: f'"{KEY}"', **(expressions or {})}
    first = "--head" if step.method == "HEAD" else f"--request {quoted(step.method, {})}"
    rows = [f"curl --silent --show-error --globoff --path-as-is {first} --url {quoted(step.url, expressions)}"]
    names = {name.lower() for name, _ in step.headers}
    headers = list(step.headers)
    rows.extend(
        f"--header {quoted(f'{name}: {value}' if value else f'{name};', expressions)}" for name, value in headers
    )
    if "accept" not in names:
        rows.append("--header Accept:")
    if step.body:
        if "content-type" not in names:
            rows.append("--header Content-Type:")
        if body_file:
            rows.append(f"--data-binary @{quoted(body_file, {})}")
        else:
            rows.append(f"--data-raw {quoted(step.body.decode(), expressions)}")
    return " \\\n  ".join(rows)


def needs_file(body: bytes) -> bool:
    """Tell whether a body cannot stand in a command line: too long, no text, or with a null byte."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return True
    return len(body) > LONGEST_ARGUMENT or b"\0" in body


def script(steps: Sequence[Step], base_url: str, send_to: str) -> tuple[str, dict[str, bytes]]:
    """Return a script that repeats the steps, and the files it reads. The last answer is printed with its headers.

    `base_url` is where the steps were sent, `send_to` where the script sends them unless it is told otherwise.
    """
    carried = learned(steps)
    expressions = {base_url.rstrip("/"): '"$base"'} if base_url.strip("/") else {}
    rows = [f"base=${{TELNYX_BASE_URL:-{shlex.quote(send_to.rstrip('/'))}}}"] if expressions else []
    if any(KEY in f"{step.url}{step.headers}" or KEY.encode() in step.body for step in steps):
        rows.insert(0, ': "${TELNYX_API_KEY:?set it to an API key of the target}"')
    files: dict[str, bytes] = {}
    for number, step in enumerate(steps):
        name = f"body-{number + 1}.bin" if needs_file(step.body) else ""
        if name:
            files[name] = step.body
        call = curl(step, expressions, body_file=name)
        gives = [item for item in carried if item.step == number]
        if gives:
            rows.append(f"answer=$({call})")
        else:
            rows.append(call.replace("curl ", "curl --include ", 1) if step is steps[-1] else f"{call} >/dev/null")
        for item in gives:
            variable = f"id_{carried.index(item) + 1}"
            path = "." + "".join(f"[{json.dumps(part)}]" for part in item.place)
            rows.append(f"{variable}=$(printf '%s' \"$answer\" | jq --raw-output {shlex.quote(path)})")
            expressions = {**expressions, item.value: f'"${variable}"'}
            if quote(item.value, safe="") != item.value:
                encoded = f"{variable}_encoded"
                rows.append(f"{encoded}=$(printf '%s' \"$answer\" | jq --raw-output {shlex.quote(path + ' | @uri')})")
                expressions[quote(item.value, safe="")] = f'"${encoded}"'
    return "\n".join(rows), files
