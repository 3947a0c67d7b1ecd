"""The commands behind the Makefile, where they can go wrong."""

import gzip
import hashlib
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import book_pages
import build
import check_html
import mutex
import notebooks
import pytest
import regen
import serve
import setup_env
import yaml
from docutils import nodes


@pytest.fixture(autouse=True)
def own_mutex(tmp_path, monkeypatch):
    """The tests wait for no command that runs beside them."""
    monkeypatch.setattr(mutex, "PATH", str(tmp_path / "_build" / "mutex"))


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


def test_another_clones_environment_is_left_alone(clone, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    (other / "installed-by-make.txt").write_text("the other's")
    (clone.path / ".venv").symlink_to(other)
    assert "not from make" in setup_env.main()
    assert (other / "installed-by-make.txt").read_text() == "the other's" and not clone.calls


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
    assert "was not built" in next(check_html.missing("page", tmp_path))
    (tmp_path / "page.html").write_text("<p>0.124 &lt; 1</p>")
    assert "lacks the output" in next(check_html.missing("page", tmp_path))
    (tmp_path / "page.html").write_text("<p>0.123 &lt; <b>1</b></p>")
    assert list(check_html.missing("page", tmp_path)) == []


@pytest.mark.parametrize("url", ["", "https://github.com/name/book"])
def test_no_button_leads_nowhere(url):
    theme = {"repository_url": url, "launch_buttons": {"binderhub_url": "https://mybinder.org"}}
    book_pages.options(None, SimpleNamespace(html_theme_options=theme, html_context={}))
    assert theme["use_repository_button"] == bool(url)
    assert bool(theme["launch_buttons"]) == bool(url)


@pytest.mark.parametrize(
    ("text", "language", "table"),
    [
        ("metric   loss\nplain    0.37\nmixed    0.41", "myst-ansi", True),
        ("alpha   0: 0.981 right\nalpha   1: 0.983 right", "myst-ansi", False),
        ("x = 1  # one\ny = 2  # two\nz = 3  # three", "python", False),
    ],
)
def test_printed_tables_are_told_from_sentences(text, language, table):
    page = nodes.section("", nodes.literal_block(text, text, language=language))
    book_pages.mark_tables(None, page)
    assert (page[0]["classes"] == ["printed-table"]) == table


@pytest.mark.parametrize(
    ("text", "languages"),
    [("two sentences\n\na = 1", ["myst-ansi"] * 2), ('"""Ends."""\n\nimport os\n\nos.abort()\n\n', ["python"])],
)
def test_prints_are_parted_at_empty_lines_and_scripts_are_code(text, languages):
    page = nodes.section("", nodes.literal_block(text, text, language="myst-ansi"))
    book_pages.mark_tables(None, page)
    assert [part["language"] for part in page] == languages
    assert "\n\n".join(part.astext() for part in page) == text


def test_short_code_is_marked():
    page = nodes.paragraph("", "", nodes.literal("", "(1 - lam) * x"), nodes.literal("", 31 * "x"))
    book_pages.keep_together(None, page)
    assert [code["classes"] for code in page] == [["short"], []]


def test_entries_of_the_bibliography_lose_their_keys_and_nothing_else():
    page = nodes.section("", nodes.citation("", nodes.label("", "ZCDL18"), nodes.paragraph("", "Zhang, 2018")))
    page += nodes.footnote("", nodes.label("", "1"))
    book_pages.drop_keys(None, page, "book/references")
    assert [child.astext() for child in page[0]] == ["Zhang, 2018"] and page[1].astext() == "1"


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
    assert not regen.regenerate()
    assert done == ["verdicts", "index"]


def test_a_stale_page_whose_packages_are_missing_is_left_and_said(monkeypatch, capsys):
    page = notebooks.BOOK / "others.ipynb"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(notebooks, "in_order", lambda: [page])
    monkeypatch.setattr(notebooks, "read", lambda page: page)
    monkeypatch.setattr(notebooks, "stale", lambda page: "stale")
    monkeypatch.setattr(notebooks, "faults", lambda page: ["stale"])
    monkeypatch.setattr(regen, "execute", lambda page: pytest.fail("executed"))
    assert regen.regenerate()
    assert "make torch" in capsys.readouterr().out


def test_only_the_optional_chapters_need_more_than_the_book_has(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert [path.stem for path in notebooks.on_disk() if not notebooks.can_run(path)] == ["others"]


# Whoever takes the mutex leaves a child that sleeps; "alone" lets go of the child, "both" gives it the mutex.
HOLDER = """
import subprocess, sys, time, mutex
mutex.PATH = sys.argv[1]
with mutex.held("the first"):
    child = subprocess.Popen(["sleep", "60"], close_fds=sys.argv[2] == "alone")
    print(child.pid, flush=True)
    time.sleep(60)
"""
WAITER = "import sys, mutex; mutex.PATH = sys.argv[1]\nwith mutex.held('the second'): print('runs')"


def start(code, *arguments):
    command = [sys.executable, "-c", code, mutex.PATH, *arguments]
    return subprocess.Popen(command, cwd=notebooks.ROOT / "tools", stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize("kept", ["alone", "both"])
def test_the_second_waits_until_the_first_is_killed_and_all_that_writes_for_it(kept):
    with mutex.held("one that ended long ago, with a longer name than the others"):
        pass
    with start(HOLDER, kept) as first:
        child = int(first.stdout.readline())
        with start(WAITER) as second:
            said = second.stdout.readline()
            assert said == f"Waiting for the first, which runs in this folder (process {first.pid})\n"
            first.kill()
            first.wait()
            if kept == "both":
                with pytest.raises(subprocess.TimeoutExpired):
                    second.wait(1)
                os.kill(child, signal.SIGKILL)
            assert second.wait(10) == 0 and second.stdout.read() == "runs\n"
            if kept == "alone":
                os.kill(child, signal.SIGKILL)


def test_of_two_installations_at_the_same_time_the_second_has_nothing_to_do(clone, monkeypatch):
    finished = setup_env.install

    def slow(log, pins):
        time.sleep(0.5)
        finished(log, pins)

    monkeypatch.setattr(setup_env, "install", slow)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda _: setup_env.main(), range(2))) == [None, None]
    assert clone.calls == ["numpy==1\n"]


@pytest.mark.parametrize(
    ("status", "faults", "shown"), [(0, [], "new"), (1, [], "old"), (0, ["page: lacks a picture"], "old")]
)
def test_the_book_is_built_from_nothing_and_replaced_when_it_is_whole(tmp_path, monkeypatch, status, faults, shown):
    html, beside = tmp_path / "html", tmp_path / "new"
    for folder in (html, beside / "half"):
        folder.mkdir(parents=True)
    (html / "index.html").write_text("old")

    def jupyter_book(command, **options):
        assert not beside.exists()
        (beside / "_build" / "html").mkdir(parents=True)
        (beside / "_build" / "html" / "index.html").write_text("new")
        return SimpleNamespace(returncode=status)

    monkeypatch.setattr(notebooks, "HTML", html)
    monkeypatch.setattr(build, "BESIDE", beside)
    monkeypatch.setattr(subprocess, "run", jupyter_book)
    monkeypatch.setattr(build.lite, "chapters", list)
    monkeypatch.setattr(build.lite, "build", lambda site, paths: None)
    monkeypatch.setattr(build.lite, "faults", lambda built, paths: faults)
    monkeypatch.setattr(build.check_html, "missing", lambda page, built: [])
    assert bool(build.main()) == (shown == "old")
    assert (html / "index.html").read_text() == shown
    assert beside.exists() == (shown == "old")


KILLED = """
import os, pathlib, signal, sys, nbformat, regen
def half(path, text, **options):
    path.write_bytes(text.encode()[:200])
    os.kill(os.getpid(), signal.SIGKILL)
pathlib.Path.write_text = half
regen.write(pathlib.Path(sys.argv[2]), nbformat.v4.new_notebook(), {"modules": [], "read": [], "written": []})
"""


def test_a_chapter_is_whole_when_regen_is_killed_and_the_next_one_clears_up(tmp_path, monkeypatch):
    page = tmp_path / "page.ipynb"
    page.write_text("whole")
    with start(KILLED, page) as killed:
        assert killed.wait() == -signal.SIGKILL
    assert page.read_text() == "whole" and len(list(tmp_path.glob("*.tmp"))) == 1
    monkeypatch.setattr(notebooks, "BOOK", tmp_path)
    monkeypatch.setattr(regen, "regenerate", lambda everything: None)
    monkeypatch.setattr("sys.argv", ["regen.py"])
    assert regen.main() is None
    assert list(tmp_path.glob("*.tmp")) == []


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


def test_pages_are_served_as_on_the_web(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "HTML", tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "index.html").write_text("inside")
    (tmp_path / "404.html").write_text("nothing there")
    with serve.served(tmp_path) as address:
        asked = urllib.request.Request(f"{address}/sub", headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(asked) as answer:
            assert answer.url == f"{address}/sub/", "links on the page count from the address with a slash"
            assert gzip.decompress(answer.read()) == b"inside"
        with pytest.raises(urllib.error.HTTPError) as lost:
            urllib.request.urlopen(f"{address}/elsewhere")
        assert lost.value.code == 404 and gzip.decompress(lost.value.read()) == b"nothing there"
