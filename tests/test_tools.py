"""The commands behind the Makefile, where they can go wrong."""

import hashlib
import importlib.util
import json
import re
import subprocess
import sys
import zipfile
from types import SimpleNamespace

import book_pages
import check_html
import notebooks
import pytest
import regen
import setup_env
import yaml


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """An empty clone, in which nothing is really installed."""
    (tmp_path / "requirements.txt").write_text("numpy==1\n")
    for name, place in [("ROOT", "."), ("VENV", ".venv"), ("LOG", "_build/install.log")]:
        monkeypatch.setattr(setup_env, name, str(tmp_path / place))
    monkeypatch.setattr(setup_env, "DONE", str(tmp_path / ".venv" / "installed-by-make.txt"))
    monkeypatch.setattr(setup_env, "PYTHON", str(tmp_path / ".venv" / "python"))
    calls = []

    def install(log, pins):
        calls.append(pins)
        (tmp_path / ".venv" / "python").touch()

    monkeypatch.setattr(setup_env, "install", install)
    return SimpleNamespace(path=tmp_path, calls=calls)


def test_it_installs_once_and_again_when_something_changed(clone):
    assert setup_env.main() is None and setup_env.main() is None
    assert clone.calls == ["numpy==1\n"]
    (clone.path / "requirements.txt").write_text("numpy==2\n")
    assert setup_env.main() is None
    (clone.path / ".venv" / "python").unlink()  # as after an upgrade of the system's Python
    assert setup_env.main() is None
    assert len(clone.calls) == 3


def test_an_unfinished_environment_is_started_again(clone, monkeypatch):
    def interrupted(log, pins):
        (clone.path / ".venv" / "half").touch()
        raise KeyboardInterrupt

    finished = setup_env.install
    monkeypatch.setattr(setup_env, "install", interrupted)
    assert "interrupted" in setup_env.main()
    monkeypatch.setattr(setup_env, "install", finished)
    assert setup_env.main() is None
    assert not (clone.path / ".venv" / "half").exists()


def test_somebody_elses_environment_is_left_alone(clone):
    (clone.path / ".venv").mkdir()
    (clone.path / ".venv" / "precious").touch()
    assert "not from make" in setup_env.main()
    assert (clone.path / ".venv" / "precious").exists() and not clone.calls


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("NewConnectionError: Name or service not known", "can't be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "its hash differs"),
        ("The virtual environment was not created: ensurepip is not available", "python3-venv"),
        ("something else", "install.log"),
    ],
)
def test_a_failure_is_one_clear_line(clone, monkeypatch, said, line):
    def fail(log, pins):
        log.write(said)
        log.flush()
        raise subprocess.CalledProcessError(1, "pip")

    monkeypatch.setattr(setup_env, "install", fail)
    problem = setup_env.main()
    assert line in problem and "\n" not in problem
    assert setup_env.main() == problem, "and it is tried again"


def test_progress_counts_pins_not_lines(clone, capsys):
    lines = [1, 4, 5]  # where the pins stand, hashes between them
    said = "Collecting two==1 (from -r requirements.txt (line 4))\nProcessing /x/three.whl (from -r requirements.txt (line 5))"
    with open(clone.path / "log", "w") as log:
        setup_env.run([sys.executable, "-c", f"print({said!r})"], log, lines)
    assert capsys.readouterr().out == "[  2/3] two==1\n[  3/3] three.whl\n"


def test_every_pin_that_is_installed_has_a_hash():
    """pip asks for every hash as soon as it finds one; a pin without would only be noticed on an empty machine."""
    for path in sorted(notebooks.ROOT.glob("requirements*.txt")):
        pins = [line for line in path.read_text().replace("\\\n", "").splitlines() if not line.startswith("#")]
        assert pins and all(re.match(r"\S+==.* --hash=sha256:[0-9a-f]{64}", pin) for pin in pins), path.name


def test_a_package_with_another_hash_is_refused(tmp_path):
    """By pip itself, from a folder, without a network."""
    wheel = tmp_path / "pinned-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr("pinned-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: pinned\nVersion: 1\n")
        file.writestr("pinned-1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        file.writestr("pinned-1.dist-info/RECORD", "")
    right = hashlib.sha256(wheel.read_bytes()).hexdigest()
    for digest, said in [(right, "Would install pinned-1"), (right[::-1], "DO NOT MATCH THE HASHES")]:
        (tmp_path / "pins.txt").write_text(f"pinned==1 \\\n    --hash=sha256:{digest}\n")
        pip = [sys.executable, "-m", "pip", "install", "--dry-run", "--no-index", "--find-links", tmp_path]
        result = subprocess.run([*pip, "-r", tmp_path / "pins.txt"], capture_output=True, text=True)
        assert said in result.stdout + result.stderr


def test_a_wrong_python_is_named(monkeypatch):
    monkeypatch.setattr(setup_env.sys, "version_info", (3, 14, 0))
    assert "needs Python 3.11 to 3.13" in setup_env.main()


def test_a_page_without_its_outputs_is_found(tmp_path, monkeypatch):
    output = {"output_type": "stream", "name": "stdout", "text": ["0.123 < 1\n"]}
    cell = {"cell_type": "code", "source": [], "metadata": {}, "execution_count": 1, "outputs": [output]}
    (tmp_path / "page.ipynb").write_text(json.dumps({"cells": [cell], "metadata": {}}))
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "HTML", tmp_path)
    assert "was not built" in next(check_html.missing("page"))
    (tmp_path / "page.html").write_text("<p>0.124 &lt; 1</p>")
    assert "lacks the output" in next(check_html.missing("page"))
    (tmp_path / "page.html").write_text("<p>0.123 &lt; <b>1</b></p>")
    assert list(check_html.missing("page")) == []


@pytest.mark.parametrize("url", ["", "https://github.com/name/book"])
def test_no_button_leads_nowhere(url):
    theme = {"repository_url": url, "launch_buttons": {"binderhub_url": "https://mybinder.org"}}
    book_pages.options(None, SimpleNamespace(html_theme_options=theme, html_context={}))
    assert theme["use_repository_button"] == bool(url)
    assert bool(theme["launch_buttons"]) == bool(url)


def test_a_page_that_reads_what_a_later_one_writes_is_executed_after_it(monkeypatch):
    """The start page reads the verdicts, which the last chapter writes."""
    state = {"verdicts": "stale", "index": None}
    done = []

    def execute(page):
        done.append(page)
        state[page] = None
        if page == "verdicts":
            state["index"] = "stale"

    monkeypatch.setattr(notebooks, "in_order", lambda: ["index", "verdicts"])
    monkeypatch.setattr(notebooks, "can_run", lambda page: True)
    monkeypatch.setattr(notebooks, "read", lambda page: page)
    monkeypatch.setattr(notebooks, "stale", state.get)
    monkeypatch.setattr(notebooks, "faults", lambda page: [state[page]] if state[page] else [])
    monkeypatch.setattr(regen, "execute", execute)
    monkeypatch.setattr("sys.argv", ["regen.py"])
    assert not regen.main()
    assert done == ["verdicts", "index"]


def test_a_stale_page_whose_packages_are_missing_is_left_and_said(monkeypatch, capsys):
    page = notebooks.BOOK / "others.ipynb"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(notebooks, "in_order", lambda: [page])
    monkeypatch.setattr(notebooks, "read", lambda page: page)
    monkeypatch.setattr(notebooks, "stale", lambda page: "stale")
    monkeypatch.setattr(notebooks, "faults", lambda page: ["stale"])
    monkeypatch.setattr(regen, "execute", lambda page: pytest.fail("executed"))
    monkeypatch.setattr("sys.argv", ["regen.py"])
    assert regen.main()
    assert "make torch" in capsys.readouterr().out


def test_only_the_optional_chapters_need_more_than_the_book_has(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert [path.stem for path in notebooks.on_disk() if not notebooks.can_run(path)] == ["others"]


def test_the_workflow_may_do_no_more_than_it_needs():
    workflow = yaml.safe_load((notebooks.ROOT / ".github" / "workflows" / "book.yml").read_text())
    jobs = workflow["jobs"]
    assert workflow["permissions"] == {}
    assert jobs.pop("publish")["permissions"] == {"pages": "write", "id-token": "write"}
    assert all(job["permissions"] == {"contents": "read"} for job in jobs.values())


def test_the_workflow_names_actions_by_commit():
    text = (notebooks.ROOT / ".github" / "workflows" / "book.yml").read_text()
    used = re.findall(r"uses: (.*)", text)
    assert used and all(re.fullmatch(r"\S+@[0-9a-f]{40}  # v[\d.]+", action) for action in used)
