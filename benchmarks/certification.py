"""Whole runs against the embedded target: wall time, requests per second through the tool, plan size over its lower bound.

python benchmarks/certification.py [--rounds 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = (
    ("TransferCall", ["--only", "TransferCall"]),
    ("whole edition, 1 worker", ["--workers", "1"]),
    ("whole edition, 2 workers", ["--workers", "2"]),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    print(f"{'':26}{'wall s':>9}{'min':>8}{'max':>8}{'requests':>10}{'per s':>9}{'over bound':>12}  verdict")
    for name, options in RUNS:
        walls, rates = [], []
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                began = time.perf_counter()
                command = [sys.executable, "-m", "telnyx_conformance", "certify", "--out", folder, *options]
                subprocess.run(command, check=False, capture_output=True)
                walls.append(time.perf_counter() - began)
                certificate = json.loads((Path(folder) / "certificate.json").read_text())
                rates.append(certificate["run"]["requests"] / certificate["run"]["seconds"])
        run = certificate["run"]
        print(
            f"{name:26}{statistics.median(walls):9.1f}{min(walls):8.1f}{max(walls):8.1f}{run['requests']:10,}"
            f"{statistics.median(rates):9,.0f}{run['bound_ratio_median']:12.3f}  {certificate['verdict']}"
        )
    print(f"median of {rounds} rounds; wall time from launch to exit, reports and Allure results included")


if __name__ == "__main__":
    main()
