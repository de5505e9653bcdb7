"""Whatever is thrown at the emulator, it answers, and never with 5xx."""

from __future__ import annotations

import json
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from telnyx_conformance.contract.document import load_edition
from telnyx_conformance.emulator.core import Emulator
from telnyx_conformance.emulator.routing import PREFIXES

EDITION = load_edition()
EMULATOR = Emulator(EDITION)
SEGMENT = re.compile(r"\{[^}]+\}")
TEMPLATES = sorted({PREFIXES[o.server] + o.path for o in EDITION.operations})
METHODS = st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "", "X" * 40])
VALUES = st.sampled_from(
    ["1", "%00", "%ff", "..", "%2e%2e%2f", "é", "a b", "6a09cdc3-8948-47f0-aa62-74ac943d6c58", "%", "x" * 300, "{}"]
)


@st.composite
def targets(draw: st.DrawFn) -> str:
    path = SEGMENT.sub(lambda _: draw(VALUES), draw(st.sampled_from(TEMPLATES)))
    if draw(st.booleans()):
        path += draw(st.sampled_from(["", "/", "//", ".json", "/x"]))
    names = st.sampled_from(
        [
            "page[size]",
            "page[number]",
            "sort",
            "filter[name]",
            "filter[a][eq]",
            "filter[a][b][c]",
            "filter",
            "q",
            "page",
            "[",
            "a[]",
        ]
    )
    pairs = draw(st.lists(st.tuples(names, st.text(max_size=20)), max_size=4))
    query = "&".join(f"{name}={value}" for name, value in pairs).encode("utf-8", "replace").decode("latin-1")
    return path + ("?" + query if pairs else "")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
NAMES = sorted(
    {
        name
        for o in EDITION.operations
        if o.body
        for s in o.body.content.values()
        for name in EDITION.resolve(s).get("properties", {})
    }
)
OBJECTS = st.dictionaries(st.sampled_from(NAMES), JSON_VALUES, max_size=6)
BODIES = st.one_of(
    st.just(b""),
    st.binary(max_size=60),
    JSON_VALUES.map(lambda v: json.dumps(v).encode()),
    OBJECTS.map(lambda v: json.dumps(v).encode()),
    st.sampled_from(
        [
            b"{}",
            b"[]",
            b"null",
            b"[" * 900 + b"]" * 900,
            b'{"a":' * 300 + b"1" + b"}" * 300,
            b'{"to": "\\u0000"}',
            b'{"to": 1e308, "to": 2}',
            b'--b\r\nContent-Disposition: form-data; name="media"; filename="x"\r\n\r\nabc\r\n--b--\r\n',
            b"a=1&a[]=2&a[b]=3&%ff=%fe",
        ]
    ),
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [b"authorization", b"content-type", b"content-length", b"host", b"accept", b"x-weird", b"\xff"]
        ),
        st.sampled_from(
            [
                b"Bearer KEYTEST_any",
                b"application/json",
                b"application/x-www-form-urlencoded",
                b"multipart/form-data; boundary=b",
                b"multipart/form-data",
                b"text/xml",
                b"\xff\xfe",
                b"",
                b"application/json; charset=utf-16",
            ]
        )
        | st.binary(max_size=20),
    ),
    max_size=5,
)


@settings(max_examples=1500, deadline=None)
@given(method=METHODS, target=targets(), headers=HEADERS, body=BODIES, is_keyed=st.booleans())
def test_no_request_gets_a_server_error(
    method: str,
    target: str,
    headers: list[tuple[bytes, bytes]],
    body: bytes,
    is_keyed: bool,  # noqa: FBT001 - Hypothesis passes by name
) -> None:
    key = [(b"authorization", b"Bearer KEYTEST_any")] if is_keyed else []
    reply = EMULATOR.handle(method, target, [*headers, *key], body)

    assert 200 <= reply.status < 500
    assert EMULATOR.faults == 0


@settings(max_examples=1500, deadline=None)
@given(operation=st.sampled_from(EDITION.operations), body=st.one_of(OBJECTS, JSON_VALUES), data=st.data())
def test_no_body_for_a_real_operation_gets_a_server_error(operation: object, body: object, data: st.DataObject) -> None:
    chosen = next(o for o in EDITION.operations if o is operation)
    schema = next(iter(chosen.body.content.values()), {}) if chosen.body else {}
    names = sorted(EDITION.resolve(schema).get("properties", {}))
    if names and isinstance(body, dict):
        body = data.draw(st.dictionaries(st.sampled_from(names), JSON_VALUES, max_size=6))
    target = PREFIXES[chosen.server] + SEGMENT.sub("6a09cdc3-8948-47f0-aa62-74ac943d6c58", chosen.path)
    media_type = (chosen.body.media_type if chosen.body else "application/json").encode()
    headers = [(b"authorization", b"Bearer KEYTEST_any"), (b"content-type", media_type)]
    reply = EMULATOR.handle(chosen.method, target, headers, json.dumps(body).encode())

    assert 200 <= reply.status < 500
    assert EMULATOR.faults == 0
