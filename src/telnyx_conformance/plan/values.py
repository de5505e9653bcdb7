"""Valid values: the smallest instance of a schema that is worth sending, and plain values of single places.

Numbers are fictional ones (+1 202 555 0100 to 0199), addresses lie in example.com, webhook addresses are filled in by
the run.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from telnyx_conformance.contract import formats
from telnyx_conformance.contract.fields import ANY_KEY, DEEPEST, Field, Link
from telnyx_conformance.contract.validators import compiled
from telnyx_conformance.errors import HarnessError
from telnyx_conformance.plan import samples

if TYPE_CHECKING:
    from telnyx_conformance.contract.nodes import Node, Reader

FRESH, UUID, WEBHOOK = "{fresh}", "{uuid}", "{webhook}"
# What the tokens look like once filled in: for checks of length and pattern before the run.
STAND_INS = {
    FRESH: "0123456789ab",
    UUID: "01234567-89ab-4def-8123-456789abcdef",
    WEBHOOK: "http://127.0.0.1:65535/0123456789ab",
}
NUMBER, OTHER_NUMBER = "+12025550100", "+12025550123"
NOWHERE = "http://127.0.0.1:9/"  # the discard port: events that nobody waits for go nowhere
PHONE_NAME = re.compile(
    r"(?:\A|_)(?:to|from|phone_?numbers?|number|caller_?id(?:_number)?|did|msisdn|tn)\Z", re.IGNORECASE
)
WEBHOOK_NAME = re.compile(r"webhook.*ur[li]|callback(?:_?url)?\Z|event_url|\AUrl\Z|FallbackUrl\Z", re.IGNORECASE)
URL_NAME = re.compile(r"(?:_|\A)(?:url|uri|link|website)\Z|Url\Z", re.IGNORECASE)
UNIQUE_NAME = re.compile(
    r"\A(?:friendly_|connection_|application_|profile_|unique_|display_|queue_)?name\Z|\Auser_name\Z"
)
Branches = Mapping[tuple[str | int, ...], tuple[str, ...]]
DIALLABLE = re.compile(r"\+\d{7,}")
# What a field's name says of its value, in the order in which the values are tried.
BY_NAME: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (WEBHOOK_NAME, (WEBHOOK,)),
    (re.compile(r"\Acommand_id\Z"), (UUID, FRESH)),
    (UNIQUE_NAME, (f"name-{FRESH}", FRESH)),
    (re.compile(r"(?:\A|_)from(?:_?number)?\Z", re.IGNORECASE), (OTHER_NUMBER,)),
    (PHONE_NAME, (NUMBER,)),
    (re.compile(r"\Aemail\Z"), (f"{FRESH}@example.com",)),
)


def unfilled(text: str) -> str:
    """Return a text made from a stand-in with the token in its place again, where both have the same length."""
    return text.replace(STAND_INS[UUID], UUID).replace(STAND_INS[FRESH], FRESH)


def filled(value: Any, tokens: Mapping[str, str] = STAND_INS) -> Any:
    """Return `value` with every token in its texts replaced."""
    if isinstance(value, str):
        for token, text in tokens.items():
            value = value.replace(token, text) if token in value else value
        return value
    if isinstance(value, dict):
        return {key: filled(part, tokens) for key, part in value.items()}
    return [filled(part, tokens) for part in value] if isinstance(value, list) else value


class Maker:
    """Makes valid values of one edition's schemas."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    def minimal(self, node: Node, name: str, *, depth: int = 0) -> Any:
        """Return the smallest valid value: required members only, one item where a list must not be missing."""
        if depth > DEEPEST:
            raise HarnessError("a schema demands itself without end", where=name)
        node = self.settled(node)
        facts = node.facts
        if "const" in facts:
            return facts["const"]
        if "enum" in facts:
            return _member(facts)
        kind = node.kind or ("object" if node.properties or node.required else "string")
        if kind == "object":
            return self._object(node, depth)
        if kind == "array":
            items = self.reader.node(node.items or {})
            return list(self.items(items, max(facts.get("minItems", 1), 1), name, depth=depth))
        if node.types == ("null",):
            return None
        return self.plain(node, name)

    def settled(self, node: Node) -> Node:
        """Return the node with the first reachable branch of each choice taken."""
        while node.choices:
            choice = node.choices[0]
            names = self.reader.reachable(choice)
            if not names:
                raise HarnessError("no value fits exactly one alternative", expected=" or ".join(choice.names))
            node = self.reader.chosen(node, 0, choice.names.index(names[0]))
        return node

    def _object(self, node: Node, depth: int) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for name in node.required:
            self.put(made, node, name, depth)
        if isinstance(node.additional, dict) and not node.properties:
            made[ANY_KEY] = self.minimal(self.reader.node(node.additional), ANY_KEY, depth=depth + 1)
        while len(made) < node.facts.get("minProperties", 0):
            absent = next(
                (name for name in node.properties if name not in made and not _conflicts(node, made, name)), None
            )
            if absent is None:
                break
            self.put(made, node, absent, depth)
        return self.completed(made, node, depth)

    def put(self, made: dict[str, Any], node: Node, name: str, depth: int) -> None:
        """Add a member with its smallest value, and the members that it asks for."""
        if name not in made:
            made[name] = self.minimal(self.reader.node(node.properties.get(name, {})), name, depth=depth + 1)
        for other in node.dependent.get(name, ()):
            if other not in made:
                self.put(made, node, other, depth)

    def completed(self, made: dict[str, Any], node: Node, depth: int = 0) -> dict[str, Any]:
        """Return `made` with the members that its others ask for (`dependentRequired`, `if`)."""
        for name in [*made]:
            for other in node.dependent.get(name, ()):
                self.make_room(made, node, other)
                self.put(made, node, other, depth)
        for condition in node.conditions:
            holds = compiled(self.reader.edition.document, condition.test, "request").is_valid(filled(made))
            asked = self.reader.node(condition.then if holds else condition.otherwise)
            missing = [name for name in asked.required if name not in made]
            for name in missing:
                self.put(made, self.reader.merge(node, asked), name, depth)
            self._amend(made, node, asked, depth)
        return made

    def _amend(self, made: dict[str, Any], node: Node, asked: Node, depth: int) -> None:
        """Give the members that a condition restricts a value that it admits, or take them out where they may miss."""
        document = self.reader.edition.document
        for name, part in asked.properties.items():
            if name not in made or compiled(document, part, "request").is_valid(filled(made[name])):
                continue
            del made[name]
            if name in node.required or name in asked.required:
                self.put(made, self.reader.merge(node, asked), name, depth)

    def items(self, node: Node, count: int, name: str, *, depth: int = 0) -> Iterator[Any]:
        """Yield `count` different items where the schema lets them differ."""
        first = self.minimal(node, name, depth=depth + 1)
        pool = [first]
        others = [v for v in self.several(node, name) if v != first]
        for number in range(count):
            if number < len(pool):
                yield pool[number]
            elif number - 1 < len(others):
                yield others[number - 1]
            else:
                yield copy.deepcopy(self._numbered(node, first, number))  # an item of its own: others may be changed

    def several(self, node: Node, name: str) -> list[Any]:
        """Return a few different valid values of a place."""
        settled = self.settled(node)
        if "enum" in settled.facts:
            return [v for v in settled.facts["enum"] if v is not None]
        form = formats.of_schema(settled.facts)
        found = [e for e in form.examples if self.fits(settled, e)] if form and "string" in settled.types else []
        return [self.minimal(settled, name), *found]

    def _numbered(self, node: Node, first: Any, number: int) -> Any:
        node = self.settled(node)
        variants: list[Any] = []
        if isinstance(first, bool) or first is None:
            return first
        if isinstance(first, int | float):
            variants = [first + number]
        elif isinstance(first, str):
            variants = [
                f"+1202555{100 + number % 100:04d}",
                f"00000000-0000-4000-8000-{number:012d}",
                f"{first}{number}",
                f"{number}",
            ]
            variants += [f"item{number}@example.com", f"https://example.com/{number}"]
        elif isinstance(first, dict):
            for key, value in first.items():
                changed = self._numbered(self.reader.node(node.properties.get(key, {})), value, number)
                if changed != value:
                    return {**first, key: changed}
        return next((v for v in variants if self.fits(node, v)), first)

    def plain(self, node: Node, name: str) -> Any:
        """Return an ordinary value of a place that holds text, a number or a truth value."""
        kind = node.kind or "string"
        if kind == "boolean":
            return True
        if kind in ("integer", "number"):
            return next(v for v in _numbers(node.facts, whole=kind == "integer") if self.fits(node, v))
        for candidate in self._texts(node, name):
            if self.fits(node, candidate):
                return candidate
        raise HarnessError(
            "no plain value is known",
            expected=str({k: v for k, v in node.facts.items() if k != "examples"}),
            where=name,
        )

    def _texts(self, node: Node, name: str) -> Iterator[str]:
        facts = node.facts
        form = formats.of_schema(facts)
        yield from (text for shape, texts in BY_NAME if shape.search(name) for text in texts)
        for example in (*facts.get("examples", ()), facts.get("default")):
            if isinstance(example, str) and example and not _is_foreign(example):
                yield example
        yield from form.examples if form is not None else ()
        if URL_NAME.search(name):
            yield "https://example.com/file"
        yield NUMBER if any(DIALLABLE.match(str(e)) for e in facts.get("examples", ())) else "sample"
        if "pattern" in facts:
            yield samples.matching(facts["pattern"])
        yield from ("sample", "a sample text", "US", "12345", NUMBER)
        yield from self._measured(node, form)

    def _measured(self, node: Node, form: formats.Format | None) -> Iterator[str]:
        """Yield texts that are made to have the length which the place asks for."""
        facts = node.facts
        base = samples.matching(facts["pattern"]) if "pattern" in facts else (form.examples[0] if form else "sample")
        for length in (facts.get("minLength"), facts.get("maxLength")):
            made = samples.stretched(base, length, lambda t: self.fits(node, t)) if isinstance(length, int) else None
            if made is not None:
                yield made

    def fits(self, node: Node, value: Any) -> bool:
        """Tell whether a text, number or truth value satisfies the plain keywords of a place."""
        return not broken(node, filled(value))

    def value_at(
        self, chain: Sequence[Link], root: Any, value: Any, *, clear: bool = False, chosen: Branches | None = None
    ) -> Any:
        """Return `root` (changed in place) with `value` at the end of `chain`.

        What stands on the way is made as small as can be; what may not stand beside it gives way. `clear` removes the
        place instead. `chosen` are the alternatives that `root` was made with, by path: those stay as they are.
        """
        if len(chain) == 1:
            return value
        node = root
        for depth, link in enumerate(chain[1:-1], start=2):
            path = tuple(one.key for one in chain[1:depth])
            kept = not link.branch or (chosen or {}).get(path) == link.branch
            if isinstance(node, dict):
                self.make_room(node, chain[depth - 2].node, str(link.key))
            node = self._entered(node, link, kept=kept)
        last = chain[-1].key
        if clear:
            node.pop(last, None)
        elif isinstance(node, list):
            node[0:1] = [value]
        else:
            self.make_room(node, chain[-2].node, str(last))
            node[last] = value
            self.completed(node, chain[-2].node)
            node[last] = value  # what was asked for stays; where that cannot be, the whole is no valid request
        return root

    def make_room(self, here: dict[str, Any], node: Node, name: str) -> None:
        """Remove the members that may not stand beside the new member `name`, and add those that stand with it."""
        if name in here:
            return
        for names in node.exclusive:
            others = [other for other in names if other != name]
            if name in names and all(other in here for other in others):
                here.pop(next((other for other in others if other not in node.required), ""), None)
        for choice in node.choices:
            demands = [self.reader.node(branch).required for branch in choice.branches]
            mine = next((demand for demand in demands if name in demand), None)
            if choice.keyword == "oneOf" and mine is not None:
                for other in {other for demand in demands for other in demand} - {*mine, *node.required}:
                    here.pop(other, None)
                for other in mine:
                    if other != name and other in node.properties:
                        self.put(here, node, other, 0)

    def _entered(self, parent: Any, link: Link, *, kept: bool) -> Any:
        holder = dict if link.node.kind in ("object", "") else list
        name = str(link.key)
        if isinstance(parent, list):
            if not parent:
                parent.append(self.minimal(link.node, name))
            if not isinstance(parent[0], holder) or not kept:
                parent[0] = self.minimal(link.node, name)
            return parent[0]
        if not isinstance(parent.get(link.key), holder) or not kept:
            parent[link.key] = self.minimal(link.node, name)
        return parent[link.key]

    def root(self, field: Field) -> Any:
        """Return the smallest valid value of the whole that a place stands in, its alternatives as the place needs."""
        return self.minimal(field.chain[0].node, field.chain[0].key or field.name)  # type: ignore[arg-type]


def broken(node: Node, value: Any) -> list[str]:
    """Return the plain keywords of a place that a text, number or truth value breaks, `type` among them."""
    facts = node.facts
    if value is None:
        return [] if node.nullable or not node.types else ["type"]
    if node.types and not any(_is(value, kind) for kind in node.types):
        return ["type"]
    found = [key for key in ("const",) if key in facts and value != facts[key]]
    found += [key for key in ("enum",) if key in facts and value not in facts[key]]
    if isinstance(value, str):
        found += ["minLength"] if len(value) < facts.get("minLength", 0) else []
        found += ["maxLength"] if len(value) > facts.get("maxLength", len(value)) else []
        found += ["pattern"] if "pattern" in facts and not re.search(facts["pattern"], value) else []
        form = formats.of_schema(facts)
        found += ["format"] if form is not None and not form.accepts(value) else []
    elif isinstance(value, int | float) and not isinstance(value, bool):
        found += ["minimum"] if value < facts.get("minimum", value) else []
        found += ["maximum"] if value > facts.get("maximum", value) else []
        found += ["exclusiveMinimum"] if "exclusiveMinimum" in facts and value <= facts["exclusiveMinimum"] else []
        found += ["exclusiveMaximum"] if "exclusiveMaximum" in facts and value >= facts["exclusiveMaximum"] else []
        found += ["multipleOf"] if "multipleOf" in facts and value % facts["multipleOf"] else []
    return found


def _is(value: Any, kind: str) -> bool:
    if kind in ("integer", "number"):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return not isinstance(value, bool) and (whole if kind == "integer" else isinstance(value, int | float))
    types: dict[str, type] = {"string": str, "boolean": bool, "object": dict, "array": list, "null": type(None)}
    return isinstance(value, types[kind])


def _is_foreign(example: str) -> bool:
    """Tell whether an example names somebody's address or number: those are not contacted."""
    return "://" in example or "@" in example or bool(DIALLABLE.search(example))


def _member(facts: Mapping[str, Any]) -> Any:
    members = [m for m in facts["enum"] if m is not None]
    return facts["default"] if facts.get("default") in members else (members or [None])[0]


def _numbers(facts: Mapping[str, Any], *, whole: bool) -> Iterator[float]:
    for named in (facts.get("default"), *facts.get("examples", ())):
        if isinstance(named, int | float) and not isinstance(named, bool):
            yield named
    step = facts.get("multipleOf", 1)
    low, high = facts.get("minimum", facts.get("exclusiveMinimum")), facts.get("maximum", facts.get("exclusiveMaximum"))
    yield from (step, step * 2)
    if low is not None:
        yield from (low, low + step, (low // step + 1) * step)
    if high is not None:
        yield from (high, high - step, (high // step - 1) * step)
    if low is not None and high is not None and not whole:
        yield (low + high) / 2
    if low is not None and not whole:
        yield low + 0.5


def _conflicts(node: Node, made: Mapping[str, Any], name: str) -> bool:
    return any(name in names and all(other in made or other == name for other in names) for names in node.exclusive)
