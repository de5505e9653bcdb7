"""The pytest plugin: options, one item per operation and class, verdicts as sub-results, reports when the session ends.

It is loaded by the conftest.py beside the suites, never by entry point: nobody else's pytest run is touched.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from telnyx_conformance.conducting import ConformanceRun, FullDisk
from telnyx_conformance.contract.model import CONFORMANCE_CLASSES
from telnyx_conformance.errors import ConformanceError, ExitCode, IncompleteError
from telnyx_conformance.interruption import heed_termination

Prove = Callable[[Any], None]
BROKEN = "conformance_broken"
SUBJECTS = ("operation", "sequence", "delivery", "resource")  # what a suite asks for by the name of its argument


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `telnyx-conformance certify` to plain pytest."""
    group = parser.getgroup("telnyx-conformance")
    group.addoption(
        "--target", default="embedded", help="embedded (default), live, or a URL such as http://127.0.0.1:12111/v2"
    )
    group.addoption("--edition", default="", help="edition of the contract; the newest when absent")
    group.addoption("--only", action="append", default=[], help="operation id, group or glob; may be repeated")
    group.addoption("--class", action="append", default=[], dest="classes", help="conformance class; may be repeated")
    group.addoption("--profile", default="", help="YAML file that describes the target")
    group.addoption("--waivers", default="", help="YAML file of accepted deviations")
    group.addoption("--allow", action="append", default=[], help="safety class that may be called; may be repeated")
    group.addoption("--seed", type=int, default=1, help="seed of everything that is chosen (default 1)")
    group.addoption(
        "--strength", type=int, default=1, help="1: each valid value once (default); 2: each two of different places"
    )
    group.addoption("--shard", default="", help="I/N: run the I-th of N parts, 1 <= I <= N")
    group.addoption(
        "--examples", type=int, default=100, help="cases that the class fuzz tries per operation (default 100)"
    )
    group.addoption(
        "--programs", type=int, default=2, help="random programs that the class models plays per command (default 2)"
    )
    group.addoption(
        "--examples-dir",
        default=".telnyx-conformance/examples",
        help="folder of failing cases, which the class fuzz keeps and tries first",
    )
    group.addoption("--out", default="", help="folder of this run's results (default reports/out/<time>)")
    group.addoption(
        "--progress", action="store_true", default=False, help="show one progress line instead of pytest's own report"
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Prepare a run; nothing is loaded or opened before a suite asks for it, so other pytest runs in the checkout pay nothing."""
    config.stash[RUN] = run = ConformanceRun(config)
    config.pluginmanager.register(FullDisk(run), "conformance-full-disk")
    if config.getoption("progress"):  # our command: plain pytest keeps its own manners
        heed_termination()
    if config.getoption("progress") and not run.is_worker:
        from telnyx_conformance.progress import ProgressReporter

        config.pluginmanager.register(ProgressReporter(config, run), "conformance-progress")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Refuse a run that cannot work before a worker starts: once, with one message, whatever the number of workers."""
    run = session.config.stash[RUN]
    if run.is_worker or not run.is_asked_for or run.was_prepared or session.config.getoption("collectonly"):
        return
    try:
        run.prepare()
    except ConformanceError as wrong:
        pytest.exit(str(wrong), returncode=int(wrong.exit_code))


RUN = pytest.StashKey[ConformanceRun]()


def told(verdict: Any) -> str:
    """Return a verdict as the text of a failed sub-result, safe on a terminal whatever the target sent."""
    from telnyx_conformance.report.text import visible

    rows = [("requirement", verdict.requirement), ("verdict", verdict.verdict), ("check", verdict.check),
            ("expected", verdict.expected), ("got", verdict.actual), ("probe", verdict.probe)]  # fmt: skip
    return "\n".join(f"{name}: {visible(text)}" for name, text in rows if text)


def conformance_class_of(module: Any) -> str:
    """Return the class that a suite module proves: the name of its folder, empty for modules outside `suites/`."""
    folder = Path(str(module.__file__)).parent
    return folder.name if folder.parent.name == "suites" and folder.name in CONFORMANCE_CLASSES else ""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item per selected operation, or per contract or resource of one, in modules below `suites/`."""
    proven = conformance_class_of(metafunc.module)
    if not proven or not set(SUBJECTS) & set(metafunc.fixturenames):
        return
    run = metafunc.config.stash[RUN]
    try:
        chosen = run.settings.chosen(proven)
    except ConformanceError as wrong:
        raise pytest.UsageError(str(wrong)) from wrong
    if "sequence" in metafunc.fixturenames:
        sequences = [s for s in run.settings.sequences(proven) if run.settings.edition.operation(s.command) in chosen]
        metafunc.parametrize("sequence", sequences, ids=[f"{s.command}-{s.name}" for s in sequences])
    elif "delivery" in metafunc.fixturenames:
        deliveries = [
            d for d in run.settings.deliveries(proven) if run.settings.edition.operation(d.operation) in chosen
        ]
        metafunc.parametrize("delivery", deliveries, ids=[f"{d.operation}-{d.name}" for d in deliveries])
    elif "resource" in metafunc.fixturenames:
        resources = run.settings.resources(proven)
        metafunc.parametrize("resource", resources, ids=[r.name.replace("/", ".") for r in resources])
    else:
        metafunc.parametrize("operation", chosen, ids=[o.id for o in chosen])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what nothing was selected for, and what belongs to another shard; put the items of a sequence side by side.

    Neighbours are mostly given to the same worker, and to the same shard always, so that a sequence is played once.
    """
    kept = [item for item in items if not _is_empty(item)]
    if config.getoption("shard"):
        index, count = config.stash[RUN].settings.shard
        kept = [item for item in kept if zlib.crc32(_company(item).encode()) % count == index - 1]
    if len(kept) != len(items):
        config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    first: dict[str, int] = {}
    for place, item in enumerate(kept):
        first.setdefault(_company(item), place)
    items[:] = sorted(kept, key=lambda item: first[_company(item)])


def _company(item: pytest.Item) -> str:
    """Return what the items of a sequence have in common, and no other item."""
    call = getattr(item, "callspec", None)
    if call is None or "sequence" not in call.params or not conformance_class_of(getattr(item, "module", None)):
        return item.nodeid
    return str(call.id)


def _is_empty(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return (
        call is not None
        and bool(conformance_class_of(getattr(item, "module", None)))
        and any(value.__class__.__name__ == "NotSetType" for value in call.params.values())
    )


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write down what is planned before the first request: the denominator of every figure."""
    run = session.config.stash[RUN]
    proofs = [item for item in session.items if conformance_class_of(getattr(item, "module", None))]
    run.items = len(proofs)
    if not proofs or session.config.getoption("collectonly"):
        return
    if run.worker in ("main", "gw0"):
        from telnyx_conformance.run.planning import write_plan

        try:
            write_plan(run.settings, run.folder, [_proof_of(item) for item in proofs])
        except IncompleteError as broken:
            run.broken = broken
            pytest.exit(broken.problem, returncode=int(broken.exit_code))
        except ConformanceError as wrong:
            raise pytest.UsageError(str(wrong)) from wrong


def _proof_of(item: pytest.Item) -> tuple[str, Any]:
    params = item.callspec.params  # type: ignore[attr-defined]  # only parametrized items are proofs
    return conformance_class_of(item.module), next(params[name] for name in SUBJECTS if name in params)  # type: ignore[attr-defined]


@pytest.fixture
def prove(request: pytest.FixtureRequest) -> Prove:
    """Prove the claim of this module's class for what an item is about; each broken requirement becomes a sub-result."""
    run = request.config.stash[RUN]
    proven = conformance_class_of(request.module)

    def proving(subject: Any) -> None:
        from telnyx_conformance.run.proving import prove as proof

        try:
            by_itself = {"fuzz": run.fuzz, "models": run.play}.get(proven)
            verdicts = by_itself(subject) if by_itself else run.prove(lambda s: proof(s, proven, subject))
        except IncompleteError as broken:
            run.stop(request.session, broken)
            pytest.fail(str(broken), pytrace=False)
        _label(request, run, proven, subject)
        for verdict in run.complaints(proven, subject, verdicts):
            with request.getfixturevalue("subtests").test(msg=verdict.requirement):
                pytest.fail(told(verdict), pytrace=False)

    return proving


def _label(request: pytest.FixtureRequest, run: ConformanceRun, proven: str, subject: Any) -> None:
    if not request.config.getoption("allure_report_dir", None):
        return
    import allure

    dynamic: Any = allure.dynamic  # allure publishes no types
    named = getattr(subject, "command", "") or getattr(subject, "operation", "")
    about = run.settings.edition.operation(named) if named else subject
    dynamic.parent_suite(about.group)
    dynamic.suite(proven)
    dynamic.sub_suite(about.id if hasattr(about, "id") else about.name)
    exchanges = run.session.take_attached()
    if exchanges:
        allure.attach(exchanges, name="exchanges", attachment_type="application/x-ndjson", extension="ndjson")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell an xdist worker where the run's results go."""
    node.workerinput["conformance_folder"] = str(node.config.stash[RUN].folder)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Close what was opened; the process that started the run writes its reports and decides the exit status."""
    run = session.config.stash[RUN]
    try:
        run.close()
    except IncompleteError as wrong:
        run.broken = run.broken or wrong
    if run.is_worker:
        if run.broken is not None:
            session.config.workeroutput[BROKEN] = [str(run.broken), int(run.broken.exit_code)]  # type: ignore[attr-defined]  # xdist's
        return
    interrupted = exitstatus in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR) or run.broken is not None
    if not any(run.folder.glob("evidence*.ndjson")):
        if run.is_asked_for and interrupted:
            session.exitstatus = ExitCode.INCOMPLETE
        return
    try:
        run.finish(interrupted=interrupted)
    except ConformanceError as wrong:
        run.broken = run.broken or wrong
        session.exitstatus = run.broken.exit_code
    else:
        session.exitstatus = run.certificate.exit_code


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:  # noqa: ARG001 - named by xdist
    """Learn from an xdist worker why it gave up."""
    run = node.config.stash[RUN]
    said = getattr(node, "workeroutput", {}).get(BROKEN)
    if said and run.broken is None:
        run.broken = IncompleteError(said[0])


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say the verdict in plain pytest's own summary."""
    run = terminalreporter.config.stash[RUN]
    if run.broken is not None:
        terminalreporter.write_line(str(run.broken), red=True)
    if run.certificate is not None:
        terminalreporter.write_line(f"results: {run.folder}")
        terminalreporter.write_line(run.certificate.last_line)
