"""What the delivery log tells of a webhook, against what its receivers answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from telnyx_conformance.checks.attempts import Ruling, Trial, Unjudged
from telnyx_conformance.checks.finding import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from telnyx_conformance.contract.delivery import Logged


def is_logged(_: object, trial: Trial) -> Ruling:
    """Judge whether the log holds the watched event."""
    if trial.seen.unread:
        return Unjudged(trial.seen.unread)
    return None if trial.seen.entry else "it holds no delivery of that event"


def has_log_status(subject: Any, trial: Trial) -> Ruling:
    """Judge the status of the delivery, or of one attempt."""
    entry: Mapping[str, Any] | Unjudged = _entry(trial)
    wanted = subject
    if isinstance(subject, tuple):
        entry, wanted = _logged(subject[0], trial), subject[1].status
    if isinstance(entry, Unjudged):
        return entry
    return None if entry.get("status") == wanted else f"it is called {shown(entry.get('status'))}"


def has_log_attempts(count: int, trial: Trial) -> Ruling:
    """Judge the number of attempts."""
    entry = _entry(trial)
    if isinstance(entry, Unjudged):
        return entry
    attempts = entry.get("attempts")
    if not isinstance(attempts, list):
        return "it has no list of attempts"
    return None if len(attempts) == count else f"it tells of {len(attempts)}"


def has_log_errors(subject: tuple[int, Logged], trial: Trial) -> Ruling:
    """Judge the errors of one attempt."""
    number, one = subject
    attempt = _logged(number, trial)
    if isinstance(attempt, Unjudged):
        return attempt
    errors = attempt.get("errors") or []
    return None if tuple(errors) == one.errors else f"it names {shown(errors)}"


def has_log_http(subject: tuple[int, Logged], trial: Trial) -> Ruling:
    """Judge what one attempt says of its request and answer."""
    number, one = subject
    attempt = _logged(number, trial)
    if isinstance(attempt, Unjudged):
        return attempt
    http = attempt.get("http") or {}
    request, response = http.get("request") or {}, http.get("response") or {}
    if request.get("url") != trial.seen.urls[one.inbox]:
        return f"its request went to {shown(request.get('url'))}"
    status = response.get("status", 0)
    return None if status == one.answered else f"its answer has the status {shown(status)}"


def _entry(trial: Trial) -> Mapping[str, Any] | Unjudged:
    if trial.seen.unread:
        return Unjudged(trial.seen.unread)
    return trial.seen.entry or Unjudged("the log holds no delivery of that event")


def _logged(number: int, trial: Trial) -> Mapping[str, Any] | Unjudged:
    entry = _entry(trial)
    if isinstance(entry, Unjudged):
        return entry
    attempts = entry.get("attempts")
    if not isinstance(attempts, list) or number > len(attempts) or not isinstance(attempts[number - 1], dict):
        return Unjudged(f"the log tells of no attempt {number}")
    told: Mapping[str, Any] = attempts[number - 1]
    return told
