"""Errors say the same wherever they arrive."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from telnyx_conformance.cli import commands
from telnyx_conformance.errors import ConformanceError, UnknownName

if TYPE_CHECKING:
    from collections.abc import Iterator


def kinds(of: type[ConformanceError]) -> Iterator[type[ConformanceError]]:
    yield of
    for kind in of.__subclasses__():
        yield from kinds(kind)


def one_of(kind: type[ConformanceError]) -> ConformanceError:
    if issubclass(kind, UnknownName):
        return kind("group", "Calls", ["Call Commands", "Call"], where="--only")
    return kind("it broke", expected="a whole", got="two halves", where="here", advice="glue it")


@pytest.mark.parametrize("kind", list(kinds(ConformanceError)))
def test_every_error_survives_the_way_to_another_process(kind: type[ConformanceError]) -> None:
    error = one_of(kind)
    arrived = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert type(arrived) is kind
    assert (str(arrived), vars(arrived), arrived.exit_code) == (str(error), vars(error), error.exit_code)


def test_a_wrong_group_is_named_though_another_process_found_it() -> None:
    arguments = ["mutants", "variants", "--run", "--only", "Billing Group", "--workers", "2"]
    named = ["--variant", "members-sorted", "--variant", "members-reversed"]
    ran = CliRunner().invoke(commands, [*arguments, *named], standalone_mode=False)
    assert isinstance(ran.exception, UnknownName)
    assert "Billing Group" in str(ran.exception)
    assert ran.exception.advice.startswith("did you mean")
