"""A browser without a window, and one report to open in it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import sync_playwright

from skvision import export_digits, report
from skvision.datasets.folders import unchecked_images

AXE = Path(sys.prefix, "axe", "node_modules", "axe-core", "axe.min.js")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
N_PER_CLASS = 40
HTML = "<script>document.title='run'</script>"


@pytest.fixture(scope="session")
def page_file(fitted, tmp_path_factory):
    """A report with every section: mistakes, groups, an unknown class, an unreadable file."""
    folder = tmp_path_factory.mktemp("report")
    digits = export_digits(folder / "all", n_per_class=N_PER_CLASS)
    test = folder / "digits"
    for name in ("zero", "one", "two"):
        shutil.copytree(digits / name, test / name / "scan")
    shutil.copytree(digits / "nine", test / f"{HTML[:8]}nine")
    # labels that are wrong, and a name that is HTML
    for place, file in enumerate(sorted((digits / "one").iterdir())[:5]):
        shutil.copy(file, test / "two" / f"wrong {place}.png")
    shutil.copy(
        sorted((digits / "zero").iterdir())[0], test / "zero" / f"{HTML.replace('/', '-')}.png"
    )
    (test / "zero" / "broken.png").write_text("not an image")
    data = unchecked_images(test, known=fitted.classes_)
    groups = np.array(["scan" if "scan" in file else "copy" for file in data.data])
    train = [str(file) for file in sorted((digits / "one").iterdir())[:3]]
    return report(
        fitted, data.data, data.target, folder / "report.html", groups=groups, X_train=train
    )


@pytest.fixture(scope="session")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=list(ARGUMENTS)
        )
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, page_file):
    """What opens the report, and fails if the page asks for anything or complains."""
    contexts, complaints = [], []

    def open_page(width=1280, scheme="light", **how):
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, **how
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda request: (
                complaints.append(request.url)
                if not request.url.startswith(("data:", page_file.as_uri()))
                else None
            ),
        )
        page.goto(page_file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
