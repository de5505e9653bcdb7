"""One pytest process's share of a run: what was asked, the open session, the folder, the end; opened only when a suite asks."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from telnyx_conformance.errors import ConformanceError, IncompleteError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

ASKED = ("target", "edition", "only", "classes", "profile", "waivers", "allow", "shard", "out", "progress")


class ConformanceRun:
    """One pytest process's share of a run: settings, the lazily opened session, and what was said so far."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.worker = str(getattr(config, "workerinput", {}).get("workerid", "main"))
        self.is_worker = hasattr(config, "workerinput")
        self.items = 0
        self.certificate: Any = None
        self.broken: ConformanceError | None = None
        self._session: Any = None
        self._core: Any = None
        self._campaign: Any = None
        self._folder: Path | None = None
        self._settings: Any = None
        self._waivers: Any = None
        self._began = time.time()

    @property
    def is_asked_for(self) -> bool:
        """Whether this pytest run is about the suites: other runs in the checkout are left alone."""
        asked = any(self.config.getoption(name) not in ("", [], False, "embedded") for name in ASKED)
        return asked or any("suites" in Path(argument.partition("::")[0]).parts for argument in self.config.args)

    @property
    def was_prepared(self) -> bool:
        """Whether the command line has already looked at target, folder and waivers."""
        return bool(self.config.getoption("progress"))

    def prepare(self) -> None:
        """Look at settings, target, folder and waivers before anything is sent."""
        prepare(self.settings, self.folder)

    def stop(self, session: pytest.Session, why: IncompleteError) -> None:
        """End the run early: nothing more can be proven. What was proven so far is kept and scored."""
        self.broken = self.broken or why
        session.shouldstop = why.problem

    @property
    def settings(self) -> Any:
        """The options, read and checked once."""
        if self._settings is None:
            from telnyx_conformance.run.settings import Settings

            option = self.config.getoption
            self._settings = Settings(
                target=option("target"), edition=option("edition"), only=option("only"), classes=option("classes"),
                profile=option("profile"), allow=option("allow"), seed=option("seed"), waivers=option("waivers"),
                shard=option("shard"), strength=option("strength"),
            )  # fmt: skip
        return self._settings

    @property
    def folder(self) -> Path:
        """Where this run's results go; the controller chooses, workers are told."""
        if self._folder is None:
            told = getattr(self.config, "workerinput", {}).get("conformance_folder") or self.config.getoption("out")
            stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._began)) + f"-{os.getpid()}"
            self._folder = Path(told).resolve() if told else Path.cwd() / "reports" / "out" / stamp
        return self._folder

    @property
    def session(self) -> Any:
        """The open session with the target; opened at the first use, in the worker that uses it."""
        if self._session is None:
            from telnyx_conformance.opening import open_session
            from telnyx_conformance.run.core import AsyncCore

            self._core = AsyncCore()
            self._core.__enter__()
            self._session = self._core.run(
                open_session(
                    self.settings,
                    self.folder,
                    self.worker,
                    attach=bool(self.config.getoption("allure_report_dir", None)),
                )
            )
        return self._session

    def prove(self, work: Callable[[Any], Any]) -> Any:
        """Run a proof on the asynchronous core and return its verdicts."""
        session = self.session
        proven = self._core.run(work(session))
        if session.down:
            raise IncompleteError(session.down, where=self.settings.profile.base_url, advice="what was proven is kept")
        return proven

    def fuzz(self, operation: Any) -> Any:
        """Fuzz an operation and return its verdicts."""
        from telnyx_conformance.fuzzing.campaign import Campaign
        from telnyx_conformance.fuzzing.examples import Examples
        from telnyx_conformance.fuzzing.hunt import Bounds

        option = self.config.getoption
        if self._campaign is None:
            self._campaign = Campaign(self.session, examples=Examples(Path(option("examples_dir"))))
        bounds = Bounds(examples=option("examples"))
        verdicts, _ = self.prove(lambda _: self._campaign.prove(operation, bounds))
        return verdicts

    def play(self, operation: Any) -> Any:
        """Play random programs that dwell on an operation and return its verdicts."""
        from telnyx_conformance.modelling.campaign import Campaign

        programs = self.config.getoption("programs")
        return self.prove(lambda session: Campaign(session, operation).prove(programs))

    def complaints(self, proven: str, subject: Any, verdicts: list[Any]) -> list[Any]:
        """Return the verdicts that make an item fail: what is binding, neither passes nor is waived, and could be judged or not."""
        from telnyx_conformance.report.waivers import read_waivers
        from telnyx_conformance.run.planning import required_by

        binding = {r.id for r in required_by(self.settings, proven, subject) if r.level != "MAY"}
        wrong = [v for v in verdicts if v.verdict in ("fail", "inconclusive") and v.requirement in binding]
        if wrong and self.settings.waivers and self._waivers is None:
            self._waivers = read_waivers(self.settings.waivers, {r.id for r in self.settings.everything()})
        return [
            v for v in wrong if v.verdict != "fail" or not any(w.matches(v.requirement) for w in self._waivers or ())
        ]

    def finish(self, *, interrupted: bool) -> None:
        """Record the end of the run, score its evidence and write the reports."""
        from telnyx_conformance.report.write import write_reports
        from telnyx_conformance.run.evidence import EvidenceLog

        log = EvidenceLog(self.folder / "evidence.run.ndjson", [], worker="run")
        log.record("end", {"seconds": round(time.time() - self._began, 3), "interrupted": interrupted})
        log.close()
        known = {requirement.id for requirement in self.settings.everything()} if self.settings.waivers else ()
        self.certificate = write_reports(self.folder, self.settings.waivers, known=known)

    def close(self) -> None:
        """Close the session and end the core's thread; evidence is flushed even when closing fails."""
        if self._core is None:
            return
        session, self._session, core, self._core = self._session, None, self._core, None
        try:
            if session is not None:
                core.run(session.close())
        finally:
            core.__exit__(None, None, None)


class FullDisk:
    """Tells a disk that is full, wherever it shows (Allure's results, say), as what it is and not as an error of ours."""

    def __init__(self, run: ConformanceRun) -> None:
        self._run = run

    def pytest_internalerror(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Take note of what the system refused."""
        if self._run.broken is None and isinstance(excinfo.value, OSError) and excinfo.value.errno is not None:
            from telnyx_conformance.report.write import report_error

            self._run.broken = report_error(excinfo.value, Path(str(excinfo.value.filename or self._run.folder)))


def prepare(settings: Any, folder: Path) -> None:
    """Look at everything that can be wrong before the first request: waivers, keys, whether the target answers, the folder."""
    from telnyx_conformance.opening import preflight
    from telnyx_conformance.report.waivers import read_waivers
    from telnyx_conformance.report.write import prepare_folder

    if settings.waivers:
        read_waivers(settings.waivers, {requirement.id for requirement in settings.everything()})
    preflight(settings)
    prepare_folder(folder)
