"""What every test shares: repeatable hypothesis runs, a cache of their own, Debian's programs.

A test that needs programs of Debian packages says so, and is skipped where one is missing:

    @pytest.mark.debian("pdflatex", "pdftotext")

With DERIVATIONS_REQUIRE_DEBIAN=1 such a test fails instead of being skipped, for whatever reason.

A test of many cases says how many of them, spread evenly, the fast suite runs; the others are slow:

    @pytest.mark.few(2)
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

os.environ.setdefault("MKL_CBWR", "COMPATIBLE")  # as the command line does: torch's sums on any processor
REQUIRED = os.environ.get("DERIVATIONS_REQUIRE_DEBIAN") == "1"
PACKAGES = {
    "pdflatex": "texlive-latex-extra texlive-science lmodern",
    "pdftotext": "poppler-utils",
    "pdftoppm": "poppler-utils",
    "pdfinfo": "poppler-utils",
    "soffice": "libreoffice-calc",
    "node": "nodejs",
}

settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    cases: dict[tuple[str, str], list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("few") and not item.get_closest_marker("slow"):
            cases.setdefault((str(item.path), getattr(item, "originalname", item.name)), []).append(item)
    for own in cases.values():
        (wanted,) = own[0].iter_markers("few")
        chosen = {len(own) * k // wanted.args[0] for k in range(wanted.args[0])}
        for place, item in enumerate(own):
            if place not in chosen:
                item.add_marker(pytest.mark.slow)


def pytest_runtest_setup(item: pytest.Item) -> None:
    programs = [name for marker in item.iter_markers("debian") for name in marker.args]
    missing = [name for name in programs if shutil.which(name) is None]
    if missing:
        packages = " ".join(dict.fromkeys(PACKAGES.get(name, name) for name in missing))
        pytest.skip(f"{', '.join(missing)} is missing: apt-get install --no-install-recommends {packages}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if REQUIRED and report.skipped and item.get_closest_marker("debian"):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome, report.longrepr = "failed", f"Debian's programs are required here. {reason}"
    return report
