"""Work that is shared out among processes, and that ends when it is told to."""

from __future__ import annotations

import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

T = TypeVar("T")


def shared_out(
    work: Callable[..., T],
    jobs: Iterable[tuple[Any, ...]],
    *,
    workers: int,
    opening: Callable[..., None],
    given: tuple[Any, ...],
) -> Generator[T, None, None]:
    """Yield what `work` makes of each job, as it comes. Each process begins with `opening(*given)`.

    Closed early, it waits for the jobs that have begun and drops the others.
    """
    context = get_context("spawn")  # a forked process would inherit threads that it does not have
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(opening, given))
    try:
        for future in as_completed([pool.submit(work, *job) for job in jobs]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(opening: Callable[..., None], given: tuple[Any, ...]) -> None:
    """Leave it to the first process to be interrupted: a worker that dies of it leaves a broken pool behind."""
    for told in (signal.SIGINT, signal.SIGTERM):
        signal.signal(told, signal.SIG_IGN)
    opening(*given)
