"""What is tried: Schemathesis' cases, the plan's boundaries in new company, and valid requests with one odd value in them."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from msgspec.structs import replace

from telnyx_conformance.contract.nodes import reader_of
from telnyx_conformance.fuzzing.probes import again, sendable
from telnyx_conformance.plan import strategies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from telnyx_conformance.contract.model import Edition, Operation
    from telnyx_conformance.fuzzing.schemathesis_cases import SchemathesisCases
    from telnyx_conformance.plan.probe import Plan, Probe

Place = tuple[str | int, ...]
# Texts that have broken servers: Unicode planes, directions, joiners, controls, what looks like code, what is long.
ODD_TEXTS = (
    "\U0001f9e8", "é", "e\u0301", "ẞ", "İ", "\u202e", "\u200b", "\ufeff", "\ufffd", "\x00", "\x7f", "\n", "\t", " ", "",
    "日本語", "👩‍👩‍👧", "\U0001d4b3", "'", '"', "\\", "%00", "%s", "{{1}}", "${a}", "<a>", "../",
    "null", "0", "-1", "NaN", "x" * 5000,
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    0.5,
    2**31,
    2**53,
    -(2**63),
    "",
    [],
    {},
    [None],
    {"a": None},
    [[]],
)
LONGEST_PLACES = 60
LONGEST_ID = 50
MOST_PLANTED = 6
RANDOM_IDS = 0.05
KEEP_STRANGERS = 4
"""One in so many of Schemathesis' positive cases keeps the members that nobody documented; they hide the others."""


def cases(
    edition: Edition,
    operation: Operation,
    plan: Plan,
    told: Callable[[Probe], Probe],
    schemathesis: SchemathesisCases | None,
    *,
    random_ids: bool = True,
) -> st.SearchStrategy[Probe]:
    """Return a strategy of probes of one operation.

    `told` gives a probe the contract's own word for what is expected. Without `schemathesis` only our own sources are
    used. `random_ids` lets a few name a resource that nobody made.
    """
    members = _documented(edition, operation)
    own = _own(operation, plan)
    sources = [own, _altered(operation, own).map(told), _crossed(operation, plan).map(told)]
    valid = strategies.valid(operation, edition=edition).map(lambda p: again(operation, p, source="valid"))
    sources += [valid, _altered(operation, valid).map(told)]
    if members and not plan.probes[0].raw:
        sources += [_planted(operation, plan.probes[0], sorted(members)).map(told)] * 2
    if schemathesis is not None:
        positive = st.tuples(schemathesis.positive(operation), st.integers(1, KEEP_STRANGERS)).map(
            lambda drawn: drawn[0] if drawn[1] == KEEP_STRANGERS else _without_strangers(operation, drawn[0], members)
        )
        sources += [positive, schemathesis.negative(operation)]
    made = st.one_of(sources)
    names = [p.name for p in operation.parameters_in("path")]
    if random_ids and names:
        made = st.one_of(*[made] * int(1 / RANDOM_IDS - 1), _elsewhere(operation, own, names[-1]))
    return _short(made.filter(sendable), f"cases({operation.id!r})")


def _short(strategy: st.SearchStrategy[Probe], name: str) -> st.SearchStrategy[Probe]:
    """Return the strategy under a short name: Hypothesis would write out all of it, whole schemas, with every draw."""

    @st.composite
    def named(draw: st.DrawFn) -> Probe:
        return draw(strategy, label=name)

    return named()


def planned(operation: Operation, probe: Probe) -> Probe:
    """Return a probe of the plan as a case: what it was to prove is the suites' matter, not fuzzing's."""
    return again(operation, probe, source="planned")


def _own(operation: Operation, plan: Plan) -> st.SearchStrategy[Probe]:
    """Return the plan's probes of the request's content, accepted and refused."""
    usable = [p for p in plan.probes if is_content(p)]
    return _one_of(usable).map(lambda probe: planned(operation, probe))


def is_content(probe: Probe) -> bool:
    """Tell whether a planned probe is about what a request says, not about who asks or where."""
    if probe.method or probe.conformance_class not in ("requests", "headers") or "authorization" in probe.headers:
        return False
    return probe.violation is None or (bool(probe.violation.kind) and not probe.path)


def _crossed(operation: Operation, plan: Plan) -> st.SearchStrategy[Probe]:
    """Return a strategy that puts members of one planned body, right or wrong, into another."""
    bodies = [p for p in plan.probes if is_content(p) and isinstance(p.body, dict) and p.raw is None]
    if not bodies:
        return _own(operation, plan)

    def cross(pair: tuple[Probe, Probe]) -> Probe:
        first, second = pair
        body = {**copy.deepcopy(first.body), **copy.deepcopy(second.body)}
        return again(operation, planned(operation, first), body=body, query={**first.query, **second.query})

    return st.tuples(_one_of(bodies), _one_of(bodies)).map(cross)


def _one_of(probes: list[Probe]) -> st.SearchStrategy[Probe]:
    """Return a strategy that chooses by number: Hypothesis would write out whole probes for its own messages."""
    return st.integers(0, len(probes) - 1).map(probes.__getitem__)


def _altered(operation: Operation, base: st.SearchStrategy[Probe]) -> st.SearchStrategy[Probe]:
    """Return a strategy of requests in which one value is another, odd one, or gone."""
    text = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=30))

    @st.composite
    def alter(draw: st.DrawFn) -> Probe:
        probe = draw(base)
        if probe.raw is not None:
            return probe
        places = [*_places(probe.body, ()), *(("?", name) for name in probe.query)][:LONGEST_PLACES]
        if not places:
            return probe
        place = draw(st.sampled_from(places))
        if place[:1] == ("?",):
            return again(operation, probe, query={**probe.query, place[1]: draw(text)}, source="altered")
        body = copy.deepcopy(probe.body)
        holder = body
        for key in place[:-1]:
            holder = holder[key]
        old = holder[place[-1]]
        if draw(st.integers(0, 7)) == 0:
            del holder[place[-1]]
        else:
            holder[place[-1]] = draw(_another(old, text))
        return again(operation, probe, body=body, source="altered")

    return alter()


def _planted(operation: Operation, minimal: Probe, members: list[str]) -> st.SearchStrategy[Probe]:
    """Return a strategy of small requests with odd values for a few members at once: shrinking tells which it was."""
    values = st.one_of(st.none(), st.sampled_from(ODD_TEXTS), st.text(max_size=30), st.sampled_from(ODD_VALUES))
    odd = st.dictionaries(st.sampled_from(members), values, min_size=1, max_size=MOST_PLANTED)

    def plant(chosen: dict[str, Any]) -> Probe:
        body = {**copy.deepcopy(minimal.body), **chosen} if isinstance(minimal.body, dict) else chosen
        media_type = minimal.media_type or (operation.body.media_type if operation.body else "")
        return again(operation, minimal, body=body, media_type=media_type, source="planted")

    return odd.map(plant)


def _another(old: Any, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    odd = st.sampled_from(ODD_VALUES)
    if isinstance(old, str):
        around = st.tuples(text, st.integers(0, len(old))).map(lambda t: old[: t[1]] + t[0] + old[t[1] :])
        return st.one_of(text, around, odd)
    if isinstance(old, bool) or old is None:
        return st.one_of(odd, text)
    if isinstance(old, int):
        near = st.integers(-2, 2).map(lambda step: old + step)
        return st.one_of(near, st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), odd)
    if isinstance(old, list):
        return st.one_of(st.integers(2, 200).map(lambda n: (old * n)[:n]), odd)
    return st.one_of(odd, text)


def _elsewhere(operation: Operation, base: st.SearchStrategy[Probe], name: str) -> st.SearchStrategy[Probe]:
    """Return a strategy of requests about something that does not exist. What comes of it is open, but not a crash."""
    ids = st.one_of(
        st.uuids().map(str), st.sampled_from([t for t in ODD_TEXTS if t.strip(" ./") and len(t) < LONGEST_ID])
    )
    return st.tuples(base, ids).map(
        lambda drawn: again(operation, _refused(drawn[0]), path={name: drawn[1]}, source="elsewhere")
    )


def _refused(probe: Probe) -> Probe:
    return replace(probe, expect="refuse")


def _places(value: Any, path: Place) -> Iterator[Place]:
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        yield (*path, key)
        yield from _places(part, (*path, key))


def _documented(edition: Edition, operation: Operation) -> frozenset[str]:
    """Return the names of the body's members, nothing when they cannot be told without choosing an alternative."""
    body = operation.body
    if body is None or not body.content.get(body.media_type):
        return frozenset()
    node = reader_of(edition).node(body.content[body.media_type])
    return frozenset() if node.choices or node.kind != "object" else frozenset(node.properties)


def _without_strangers(operation: Operation, probe: Probe, members: frozenset[str]) -> Probe:
    if not members or not isinstance(probe.body, dict):
        return probe
    body = {name: value for name, value in probe.body.items() if name in members}
    return again(operation, probe, body=body) if len(body) < len(probe.body) else probe
