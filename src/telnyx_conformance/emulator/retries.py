"""The rules of delivery: what an answer means, when a webhook is tried again, and how long an answer is waited for."""

from __future__ import annotations

TRIES_PER_URL = 3
BACK_OFF_SECONDS = (1.0, 2.0)
RETRIED = frozenset({408, 429})
FAILURES = {400: "75400", 404: "75404", 500: "75500"}
FAILURES_BY_HUNDREDS = {2: "75299", 3: "75300", 4: "75499", 5: "75599"}


class Retries:
    """The rules that an outbox keeps to. A status of 0 stands for no answer; a planted fault has rules of its own."""

    def is_delivered(self, status: int) -> bool:
        """Whether an answer means that the webhook has arrived."""
        return 200 <= status < 300  # noqa: PLR2004 - RFC 9110, section 15.3

    def wait(self, tries: int, status: int) -> float | None:
        """Return the account's seconds until the same URL is tried again after so many tries, `None` when it is not."""
        is_retried = status == 0 or status >= 500 or status in RETRIED  # noqa: PLR2004 - 5xx
        return BACK_OFF_SECONDS[tries - 1] if is_retried and tries < TRIES_PER_URL else None

    def fails_over(self, status: int) -> bool:  # noqa: ARG002 - a fault may look at it
        """Whether the failover URL is tried once the first one is given up."""
        return True

    def follows_redirects(self) -> bool:
        """Whether a redirect is followed."""
        return False

    def patience(self, seconds: float) -> float:
        """Return for how many real seconds an answer is waited for, `seconds` being what the application asks for."""
        return seconds


def failure_code(status: int) -> str:
    """Return the delivery error for an answer's status, empty for 200; 0 stands for no answer."""
    if status == 200:  # noqa: PLR2004 - the one status without any error
        return ""
    return FAILURES.get(status) or FAILURES_BY_HUNDREDS.get(status // 100, "75000")
