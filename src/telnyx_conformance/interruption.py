"""Being told to end: a supervisor's SIGTERM means what Ctrl-C means, so that what was done is kept and reported."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def heed_termination() -> None:
    """Let SIGTERM raise `KeyboardInterrupt`, once: a second one must not cut off the reports that the first brings about.

    A handler of somebody else's stays, and only a main thread can have one.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _interrupt)


def _interrupt(_: int, __: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt
