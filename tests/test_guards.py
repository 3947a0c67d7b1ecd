"""Plant every fault that a stored notebook can have, and see it found."""

import base64
import json
import re
import shutil
import subprocess
import sys

import nbformat
import notebooks
import pytest
from tamper import drawing, drop_stamp, language, output_metadata, printing, strip_all, swap_pictures, to_stderr

ROOT = notebooks.ROOT


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A copy of the book in which to plant faults, and the path of one of its chapters."""
    for name in ("book", "benchmarks", "mixup_helpers"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("_toc.yml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(notebooks, "ROOT", tmp_path)
    monkeypatch.setattr(notebooks, "BOOK", tmp_path / "book")
    monkeypatch.setattr(notebooks, "RESULTS", tmp_path / "book" / "results")
    monkeypatch.setattr(notebooks, "STYLE", tmp_path / "mixup_helpers" / "book.mplstyle")
    path = tmp_path / "book" / "intuition.ipynb"
    assert notebooks.faults(path) == []
    return path


def edit(path, change):
    notebook = notebooks.read(path)
    change(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")


def restamp(notebook):
    """What a careful forger would do: the hashes fit, the fault is still there."""
    stored = notebook["metadata"]["mixup_book"]
    notebook["metadata"]["mixup_book"] = notebooks.stamp(notebook, notebooks.used(stored))


def change_number(notebook):
    output = printing(notebook)["outputs"][0]
    number = re.search(r"\d", "".join(output["text"])).group()
    output["text"] = [line.replace(number, str((int(number) + 1) % 10), 1) for line in output["text"]]


def strip_counts(notebook):
    for cell in notebooks.code_cells(notebook):
        cell["execution_count"] = None


def change_code(notebook):
    printing(notebook)["source"].append("\nx = 1")


def replace_picture(notebook):
    data = drawing(notebook)["outputs"][0]["data"]
    data["image/png"] = base64.b64encode(b"another picture").decode()


def delete_cell(notebook):
    notebook["cells"].remove(printing(notebook))


def delete_prose(notebook):
    notebook["cells"].remove(next(cell for cell in notebook["cells"][1:] if cell["cell_type"] == "markdown"))


def move_prose(notebook):
    cells = notebook["cells"]
    place = next(i for i, cell in enumerate(cells) if i and cell["cell_type"] == "markdown")
    cells[place - 1 : place + 1] = [cells[place], cells[place - 1]]


@pytest.mark.parametrize(
    "fault",
    [change_number, strip_all, strip_counts, change_code, replace_picture, delete_cell, delete_prose, move_prose, drop_stamp],
)
def test_tampering_is_found(book, fault):
    edit(book, fault)
    assert any("make regen" in found for found in notebooks.faults(book))


def misspell_tag(notebook):
    printing(notebook)["metadata"]["tags"] = ["nbval-ignore-ouput"]


def ignore_output(notebook):
    printing(notebook)["metadata"]["tags"] = ["nbval-ignore-output"]


def silence_nbval(notebook):
    printing(notebook)["source"].insert(0, "# NBVAL_IGNORE_OUTPUT\n")


def show_warning(notebook):
    printing(notebook)["outputs"][0]["text"] = ["<string>:1: DeprecationWarning: old\n"]


def show_logged_warning(notebook):
    printing(notebook)["outputs"][0]["text"] = ["WARNING:tensorflow:5 out of the last 5 calls\n"]


def show_start_up(notebook):
    printing(notebook)["outputs"][0]["text"] = ["I0000 00:00 1 port.cc:153] oneDNN custom operations are on.\n"]


def end_in_error(notebook):
    printing(notebook)["outputs"].append({"output_type": "error", "ename": "KeyError", "evalue": "", "traceback": []})


def drop_alt_text(notebook):
    del drawing(notebook)["metadata"]["mystnb"]["image"]


def change_alt_text(notebook):
    drawing(notebook)["metadata"]["mystnb"]["image"]["alt"] = "A picture of something else altogether."


def shrink_picture(notebook):
    drawing(notebook)["metadata"]["mystnb"]["image"]["width"] = "1px"


def hide_code_by_metadata(notebook):
    notebook["metadata"]["mystnb"] = {"remove_code_source": True}


def hide_prose(notebook):
    notebook["cells"][0]["metadata"]["tags"] = ["remove-cell"]


def add_format(notebook):
    drawing(notebook)["outputs"][0]["data"]["image/jpeg"] = "abc"


def drop_sentence(notebook):
    cell = drawing(notebook)
    cell["outputs"][0]["data"]["text/plain"] = ["<Figure size 640x480 with 1 Axes>"]
    cell["metadata"]["mystnb"] = {"image": {"alt": "<Figure size 640x480 with 1 Axes>"}}


def moved(notebook):
    """The output that holds the chapter's figure that moves."""
    outputs = [output for cell in notebooks.code_cells(notebook) for output in cell["outputs"]]
    return next(output["data"] for output in outputs if "text/html" in output.get("data", {}))


def in_figure(old, new):
    """Plant `new` for `old` in the figure's HTML."""

    def plant(notebook):
        data = moved(notebook)
        page = "".join(data["text/html"])
        assert old in page
        data["text/html"] = page.replace(old, new, 1).splitlines(keepends=True)

    plant.__name__ = f"plant {new[:30].strip()}"
    return plant


def show_a_table(notebook):
    data = {"text/html": "<table></table>", "text/plain": "a table"}
    printing(notebook)["outputs"].append({"output_type": "display_data", "metadata": {}, "data": data})


def show_a_picture_too(notebook):
    moved(notebook)["image/png"] = base64.b64encode(b"a picture").decode()


def say_something_else(notebook):
    moved(notebook)["text/plain"] = ["Label: another one than the figure's caption."]


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (show_a_table, "HTML that is no figure"),
        (show_a_picture_too, "HTML that is no figure"),
        (in_figure("</figure>", "<script></script></figure>"), "HTML that is no figure"),
        (in_figure("</figure>", "</figure><p>"), "HTML that is no figure"),
        (in_figure('aria-live="polite"', ""), "HTML that is no figure"),
        (say_something_else, "caption is not its sentence"),
        (in_figure('"polite">Label', '"polite">label'), "caption is not its sentence"),
        (in_figure("<div>blend", '<div><img src="//example.org/a.png">blend'), "outside its page: 'src='"),
        (in_figure("update();", 'fetch("/a");'), "outside its page: 'fetch'"),
        (in_figure("color:", "background:url(a.png);color:"), "outside its page: 'url('"),
        (in_figure("<div>blend", "<div>see http://example.org blend"), "outside its page: 'http:'"),
        (in_figure("update();", "update();" + " " * 40_000), "at most 60,000"),
        (misspell_tag, "unknown tag 'nbval-ignore-ouput'"),
        (ignore_output, "unknown tag 'nbval-ignore-output'"),
        (silence_nbval, "switches nbval off"),
        (to_stderr, "writes to stderr"),
        (show_warning, "shows a warning"),
        (show_logged_warning, "shows a warning"),
        (show_start_up, "shows a warning or TensorFlow's start-up lines"),
        (end_in_error, "ends in KeyError"),
        (drop_alt_text, "alt text"),
        (change_alt_text, "alt text"),
        (shrink_picture, "alt text"),
        (hide_code_by_metadata, "unknown metadata"),
        (hide_prose, "unknown metadata"),
        (language, "unknown metadata"),
        (output_metadata, "an output with metadata"),
        (swap_pictures, "made with another sentence"),
        (add_format, "only text and PNG"),
        (drop_sentence, "no sentence"),
    ],
)
def test_bad_habits_are_found_even_if_stamped(book, fault, message):
    def change(notebook):
        fault(notebook)
        restamp(notebook)

    edit(book, change)
    assert any(message in found for found in notebooks.faults(book))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("mixup_helpers/models.py", "shape), keras", "shape),  keras"),
        ("mixup_helpers/figures.py", "s=28", "s=29"),
        ("mixup_helpers/book.mplstyle", "font.size: 12", "font.size: 13"),
        ("mixup_helpers/moving.js", "toFixed(2)", "toFixed(3)"),
        ("requirements.txt", "tensorflow==", "tensorflow==9"),
    ],
)
def test_a_change_behind_the_outputs_is_found(book, name, old, new):
    path = notebooks.ROOT / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert any("has changed since" in found for found in notebooks.faults(book))


def test_a_changed_result_is_found_in_every_chapter_that_wrote_or_read_it(book):
    path = notebooks.RESULTS / "accuracy_verdicts.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"\d(?=,\d+,accuracy)", lambda digit: str((int(digit.group()) + 1) % 10), text, count=1))
    assert path.read_text(encoding="utf-8") != text
    assert any("results are not the ones" in found for found in notebooks.faults(book.with_stem("accuracy")))
    assert any("has changed since" in found for found in notebooks.faults(book.with_stem("verdicts")))
    assert notebooks.faults(book.with_stem("noise")) == []


def test_a_missing_result_is_named(book):
    (notebooks.RESULTS / "noise.csv").unlink()
    for reader in ("noise", "failure"):
        assert any("noise.csv, which is gone" in found for found in notebooks.faults(book.with_stem(reader)))


def test_a_result_that_no_chapter_writes_is_found(book):
    assert notebooks.unclaimed() == []
    shutil.copy(notebooks.RESULTS / "noise.csv", notebooks.RESULTS / "old.csv")
    assert notebooks.unclaimed() == ["old.csv"]


def test_a_chapter_that_was_never_executed_claims_no_result(book):
    edit(book.with_stem("rivals"), drop_stamp)
    assert notebooks.unclaimed() == ["rivals.csv", "rivals_verdicts.csv"]


def test_a_better_sentence_or_an_unused_module_costs_no_run(book):
    figures = notebooks.ROOT / "mixup_helpers" / "figures.py"
    text = figures.read_text(encoding="utf-8").replace("# Tints of", "# Lighter tints of").replace("Draw images", "Put images")
    figures.write_text(text, encoding="utf-8")
    with (notebooks.ROOT / "mixup_helpers" / "tables.py").open("a", encoding="utf-8") as tables:
        tables.write("\nunused = 1\n")
    assert "mixup_helpers/tables.py" not in notebooks.read(book)["metadata"]["mixup_book"]["modules"]
    assert notebooks.faults(book) == []


def test_without_comments_keeps_everything_else():
    text = 'def f(x):  # why\n    """What."""\n\n    # more\n    return "# not a comment" + x\n'
    assert notebooks.without_comments(text) == 'def f(x):\n\n    return "# not a comment" + x'
    for code in ('def f():\n    """é""" ; x = 1', 'def f(): """d"""; x = 1', 'text = """a\n\n b  \n"""  # c'):
        kept = notebooks.without_comments(code)
        assert ("x = 1" in kept or "a\n\n b  \n" in kept) and "#" not in kept


@pytest.mark.parametrize("key", ["execution_count", "outputs", "metadata"])
def test_a_notebook_edited_badly_by_hand_is_named(book, key):
    edit(book, lambda notebook: printing(notebook).pop(key))
    assert any("not well-formed" in found for found in notebooks.faults(book))
    book.write_text("<<<<<<< HEAD", encoding="utf-8")
    assert any("not well-formed" in found for found in notebooks.faults(book))


def test_a_page_outside_the_table_of_contents_is_found(book):
    shutil.copy(book, book.with_name("forgotten.ipynb"))
    assert notebooks.unlisted() == ["book/forgotten"]
    book.unlink()
    assert notebooks.unlisted() == ["book/forgotten", "book/intuition"]


@pytest.mark.parametrize(("stored", "passes"), [("0.123\n", True), ("0.124\n", False)])
def test_nbval_compares_every_printed_number(tmp_path, stored, passes):
    cell = nbformat.v4.new_code_cell("print(round(0.1234, 3))", execution_count=1)
    cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=stored)]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=kernel), tmp_path / "one.ipynb")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--numprocesses=0", "-c", str(ROOT / "pyproject.toml")]
    run = subprocess.run([*command, str(tmp_path / "one.ipynb")], capture_output=True, text=True, cwd=tmp_path)
    assert ("1 passed" in run.stdout) == passes, run.stdout
    assert ("1 failed" in run.stdout) != passes, run.stdout
