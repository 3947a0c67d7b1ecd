"""The chapters in the reader's browser: which they are, the site that has them, and what must be noticed."""

import json
import shutil
import subprocess
import sys
import threading
import tomllib
import zipfile
from importlib.metadata import version
from types import SimpleNamespace

import lite
import notebooks
import pytest
from jupyterlite_pyodide_kernel.constants import PYODIDE_VERSION

VERSION = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import numpy as np, scipy.stats", {"numpy", "scipy"}),
        ("from sklearn.datasets import load_digits", {"sklearn"}),
        ("with quiet():\n    import keras\ntry:\n    import torch\nexcept ImportError:\n    pass", {"keras", "torch"}),
        ("class Layer:\n    import jax", {"jax"}),
        ("def later():\n    import torch", set()),
        ("text = 'import torch'", set()),
    ],
)
def test_what_code_imports(code, found):
    assert set(lite.imports(code)) == found


def chapter(folder, code, modules=(), read=()):
    cell = {"cell_type": "code", "source": code, "outputs": [], "metadata": {}, "execution_count": 1}
    stamp = {"modules": list(modules), "read": list(read), "written": []}
    path = folder / "small.ipynb"
    path.write_text(
        json.dumps({"cells": [cell], "metadata": {"mixup_book": stamp}, "nbformat": 4, "nbformat_minor": 5})
    )
    return path


@pytest.mark.parametrize(
    ("code", "modules", "runs"),
    [
        ("import math, numpy", ["mixup_helpers/mixing.py", "mixup_helpers/checks.py"], True),
        ("import tensorflow", [], False),
        ("from mixup_helpers import models", ["mixup_helpers/models.py", "mixup_helpers/_keras.py"], False),
        ("import timm", [], False),
    ],
)
def test_a_chapter_is_in_the_browser_if_all_that_it_loads_is(tmp_path, monkeypatch, code, modules, runs):
    path = chapter(tmp_path, code, modules)
    monkeypatch.setattr(notebooks, "in_order", lambda: [path])
    assert lite.chapters.__wrapped__() == ([path] if runs else [])


def test_the_pins_are_of_the_pyodide_that_the_kernel_loads():
    text = (notebooks.ROOT / "requirements-lite.in").read_text()
    assert f"Pyodide {PYODIDE_VERSION} " in text and f"npm: pyodide {PYODIDE_VERSION}" in text
    assert all(f"\n{package}==" in text for package in lite.PYODIDE.values())


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """A book of one page with a button, and its site."""
    folder = tmp_path_factory.mktemp("book")
    path = chapter(
        folder, "import mixup_helpers", ["mixup_helpers/mixing.py", "mixup_helpers/evidence.py"], ["accuracy.csv"]
    )
    (folder / "html" / "book").mkdir(parents=True)
    (folder / "html" / "book" / "small.html").write_text(f'<a href="../{lite.APP}?path=small.ipynb">')
    lite.build(folder / "html" / "lite", [path])
    return SimpleNamespace(html=folder / "html", site=folder / "html" / "lite", path=path)


def test_the_site_has_the_chapter_its_results_and_the_helpers(book):
    assert list(lite.faults(book.html, [book.path])) == []
    files = book.site / "files"
    assert {path.name for path in files.iterdir()} == {"small.ipynb", "mixup_helpers", "results"}
    assert [path.name for path in (files / "results").iterdir()] == ["accuracy.csv"]
    for module in (notebooks.ROOT / "mixup_helpers").glob("*.*"):
        assert (files / "mixup_helpers" / module.name).read_bytes() == module.read_bytes()
    listed = json.loads((book.site / "api" / "contents" / "mixup_helpers" / "all.json").read_text())
    assert "mixing.py" in [entry["name"] for entry in listed["content"]]


def test_the_wheels_are_whole_and_listed(book):
    index = json.loads((book.site / "pypi" / "all.json").read_text())
    assert {name: list(found["releases"]) for name, found in index.items()} == {
        "mixup-helpers": [VERSION],
        "comm": [version("comm")],
    }
    inside = {name: set() for name in ("comm", "mixup_helpers")}
    for path in (book.site / "pypi").glob("*.whl"):
        with zipfile.ZipFile(path) as wheel:
            assert wheel.testzip() is None
            inside[path.name.split("-")[0]] = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert {"mixup_helpers/mixing.py", "mixup_helpers/book.mplstyle"} <= inside["mixup_helpers"]
    assert "comm/base_comm.py" in inside["comm"]


def test_the_kernel_is_the_only_extension_and_loads_what_the_helpers_import(book):
    config = json.loads((book.site / "jupyter-lite.json").read_text())["jupyter-config-data"]
    assert [extension["name"] for extension in config["federated_extensions"]] == [lite.KERNEL]
    kernel = config["litePluginSettings"][f"{lite.KERNEL}:kernel"]
    assert kernel["loadPyodideOptions"] == {"packages": ["numpy", "pandas", "scipy"]}
    assert all(url.startswith("./") for url in kernel["pipliteUrls"])
    assert not list(book.site.rglob("*.map"))


def test_the_build_leaves_nothing_in_the_repository(book):
    assert not (notebooks.ROOT / "build").exists() and not (notebooks.ROOT / ".jupyterlite.doit.db").exists()


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("lite/files/small.ipynb", "small.ipynb was not built"),
        ("lite/files/mixup_helpers", "mixup_helpers/__init__.py was not built"),
        (f"lite/pypi/mixup_helpers-{version('mixup-helpers')}-py3-none-any.whl", "-py3-none-any.whl was not built"),
        ("lite/files/results", "accuracy.csv was not built"),
        (lite.APP, "index.html was not built"),
        ("book/small.html", "small.html: the page's button"),
    ],
)
def test_what_is_gone_is_noticed(book, tmp_path, gone, said):
    html = shutil.copytree(book.html, tmp_path / "html")
    place = html / gone
    shutil.rmtree(place) if place.is_dir() else place.unlink()
    (fault,) = lite.faults(html, [book.path])
    assert said in fault


def test_another_chapter_and_a_button_too_many_are_noticed(book, tmp_path):
    html = shutil.copytree(book.html, tmp_path / "html")
    (html / "lite" / "files" / "small.ipynb").write_text("{}")
    shutil.copy(html / "book" / "small.html", html / "book" / "digits.html")
    other, button = lite.faults(html, [book.path])
    assert f"is not {book.path}" in other and button.startswith("digits.html")


@pytest.mark.parametrize(("page", "buttons"), [("book/small", ["Run in the browser", "old"]), ("book/digits", ["old"])])
def test_the_button_is_on_the_chapters_of_the_site(monkeypatch, page, buttons):
    monkeypatch.setattr(lite, "chapters", lambda: [notebooks.BOOK / "small.ipynb"])
    context = {"header_buttons": [{"text": "old"}], "pathto": lambda name, resource: f"../{name}"}
    lite.add_button(None, page, None, context, None)
    assert [button["text"] for button in context["header_buttons"]] == buttons
    if len(buttons) == 2:
        assert context["header_buttons"][0]["url"] == "../lite/lab/index.html?path=small.ipynb"


@pytest.mark.parametrize(
    ("found", "chosen"),
    [
        ({"python3.12": "3.12", sys.executable: "3.11"}, ("python3.12", "3.12")),
        ({"python3.12": "", sys.executable: "3.11"}, (sys.executable, "3.11")),  # as pyenv's, which only says where
        ({"python3.12": "", sys.executable: "3.13"}, None),
    ],
)
def test_python_is_pyodides_if_it_can_be(monkeypatch, found, chosen):
    monkeypatch.setattr(lite.shutil, "which", lambda name: name)
    monkeypatch.setattr(lite.subprocess, "run", lambda command, **options: SimpleNamespace(stdout=found[command[0]]))
    if chosen:
        assert lite.python_for_pyodide() == chosen
    else:
        with pytest.raises(SystemExit, match="3.11 and 3.12 alone"):
            lite.python_for_pyodide()


def test_the_trial_has_no_threads_and_no_processes_like_a_browser(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", threading.Thread.start)
    monkeypatch.setattr(subprocess.Popen, "__init__", subprocess.Popen.__init__)
    hooks = {}
    shell = SimpleNamespace(events=SimpleNamespace(register=hooks.__setitem__))
    exec(lite.AS_IN_A_BROWSER, {"get_ipython": lambda: shell})
    hooks["pre_run_cell"](None)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        threading.Thread(target=print).start()
    with pytest.raises(OSError, match="does not support processes"):
        subprocess.run([sys.executable, "--version"])


def test_the_trials_environment_has_a_place_of_its_own(tmp_path):
    (tmp_path / "tools").mkdir()
    for name in ("setup_env.py", "mutex.py"):
        shutil.copy(notebooks.ROOT / "tools" / name, tmp_path / "tools")
    (tmp_path / "pins.txt").write_text("numpy==1\n")
    (tmp_path / "there" / "bin").mkdir(parents=True)
    command = [sys.executable, tmp_path / "tools" / "setup_env.py", "there", "pins.txt", "1 GB"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1 and "there is there already" in result.stderr
