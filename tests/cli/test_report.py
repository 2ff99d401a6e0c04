"""``skvision report``, and ``evaluate --format html``."""

from __future__ import annotations

import re
import shutil

import pytest

from .command import called, ran, refused


@pytest.fixture(scope="module")
def page(model, digits_folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("report") / "report.html"
    options = ("--out", out, "--train", digits_folder / "two", "--group-by", r"_(\d\d)")
    printed = ran("report", model, digits_folder, *options, by=called)
    assert printed == f"Report written to {out}\n"
    return out.read_text(encoding="utf-8")


def timeless(page):
    return re.sub(r"Made by skvision on [\d: -]+", "", page)


def test_a_report(page, model, digits_folder):
    figures = ran("evaluate", model, digits_folder, by=called)
    accuracy = float(figures.split()[1])
    assert f"<dd>{accuracy:.1%}</dd>" in page
    assert "trained on 12 of these 120 images" in page
    assert f"MiniVGGClassifier on {digits_folder.name}" in page
    assert f"skvision.load(&#39;{model.name}&#39;)" in page
    assert f"skvision predict {model.name} IMAGE..." in page
    assert '<th scope="row">00</th>' in page


def test_evaluation_as_a_page_is_the_report(model, digits_folder, tmp_path):
    out = tmp_path / "report.html"
    ran("report", model, digits_folder, "--out", out, by=called)
    printed = ran("evaluate", model, digits_folder, "--format", "html", by=called)
    assert timeless(printed) == timeless(out.read_text(encoding="utf-8"))


def test_flawed_folders_are_no_error(model, digits_folder, tmp_path):
    for name in ("one", "two"):
        shutil.copytree(digits_folder / name, tmp_path / "test" / name)
    shutil.copytree(digits_folder / "one", tmp_path / "test" / "eleven")
    (tmp_path / "test" / "one" / "broken.png").write_text("no image")
    out = tmp_path / "report.html"
    ran(
        "report", model, tmp_path / "test", "--classes", "one, two, eleven", "--out", out, by=called
    )
    page = out.read_text(encoding="utf-8")
    assert "know the labels of 12 images" in page
    assert "1 image can&#39;t be read" in page


def test_bad_arguments(model, digits_folder, tmp_path):
    (tmp_path / "empty").mkdir()
    out = ("--out", tmp_path / "report.html")
    assert "no images" in refused("report", model, tmp_path / "empty", *out)
    assert "There is no folder" in refused(
        "report", model, digits_folder, "--out", tmp_path / "nowhere" / "report.html"
    )
    assert "no images" in refused(
        "report", model, digits_folder, *out, "--train", tmp_path / "empty"
    )
    assert "no model file" in refused("report", tmp_path / "m.skv", digits_folder, *out)
    assert not out[1].exists()
