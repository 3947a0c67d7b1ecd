"""Plant 50 faults, one at a time, in copies of the project, and show that `make test` catches each: `make tamper`."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import notebooks

GUARDS = "tests/test_book.py"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv", "_build", "__pycache__", ".*_cache", ".ipynb_checkpoints")
# What is found in texts: the digit before a point and the last digit behind it.
BEFORE, LAST = r"\d(?=\.\d)", r"(?<=\d\.)\d*\d"


class Fault(NamedTuple):
    """One fault: in which file, and `change` of its text, or of the notebook. `checks` is what shall notice it.

    `forged`: all stamps are made anew afterwards, as by somebody who wants to hide the fault.
    """

    name: str
    file: str
    change: callable
    checks: tuple = (GUARDS,)
    forged: bool = False


# Changes of texts


def another(number):
    """The number that was found, with another last digit."""
    return number[0][:-1] + str((int(number[0][-1]) + 1) % 10)


def put(old, new):
    """`new` in the place of the first match of `old`."""
    return lambda text: re.sub(old, new, text, count=1)


# Changes of notebooks


def printed(old, new):
    """As `put`, in what the first cell prints that has it."""

    def change(notebook):
        texts = (output for output in outputs(notebook) if "text" in output)
        found = next(output for output in texts if re.search(old, "".join(output["text"])))
        found["text"] = put(old, new)("".join(found["text"])).splitlines(keepends=True)

    return change


def moved(old, new):
    """As `put`, in the HTML of a figure that moves."""

    def change(notebook):
        data = next(output["data"] for output in outputs(notebook) if "text/html" in output.get("data", {}))
        data["text/html"] = put(old, new)("".join(data["text/html"])).splitlines(keepends=True)

    return change


def code(old, new):
    """As `put`, in the code of the first cell that has it."""

    def change(notebook):
        cell = next(cell for cell in notebooks.code_cells(notebook) if re.search(old, notebooks.source(cell)))
        cell["source"] = put(old, new)(notebooks.source(cell)).splitlines(keepends=True)

    return change


def cells(change):
    """`change` of the list of cells, and the numbers of the code cells as if nothing had been done."""

    def changed(notebook):
        change(notebook["cells"])
        for number, cell in enumerate(notebooks.code_cells(notebook), 1):
            cell["execution_count"] = number

    return changed


def outputs(notebook):
    return [output for cell in notebooks.code_cells(notebook) for output in cell["outputs"]]


def printing(notebook):
    return next(cell for cell in notebooks.code_cells(notebook) if cell["outputs"] and "text" in cell["outputs"][0])


def drawing(notebook):
    return next(cell for cell, _, _ in notebooks.figures(notebook))


def strip(notebook):
    printing(notebook)["outputs"] = []


def strip_all(notebook):
    for cell in notebooks.code_cells(notebook):
        cell["outputs"] = []


def swap_outputs(notebook):
    first, second = [cell for cell in notebooks.code_cells(notebook) if cell["outputs"]][1:3]
    first["outputs"], second["outputs"] = second["outputs"], first["outputs"]


def swap_pictures(notebook):
    first, second = [output["data"] for output in outputs(notebook) if "image/png" in output.get("data", {})][:2]
    first["image/png"], second["image/png"] = second["image/png"], first["image/png"]


def picture_of(chapter):
    def change(notebook):
        *_, png = next(notebooks.figures(notebooks.read(notebooks.BOOK / f"{chapter}.ipynb")))
        next(output["data"] for output in outputs(notebook) if "image/png" in output.get("data", {}))["image/png"] = png

    return change


def sentence(notebook):
    """A number of a figure's sentence, wherever the page has it."""
    printed_there, shown = drawing(notebook)["outputs"][-1]["data"], drawing(notebook)["metadata"]["mystnb"]
    said = re.sub(r"\d", another, "".join(printed_there["text/plain"]), count=1)
    printed_there["text/plain"] = [said]
    shown["image"]["alt"] = shown["figure"]["caption"] = said


def alt_text(notebook):
    image = drawing(notebook)["metadata"]["mystnb"]["image"]
    image["alt"] = re.sub(r"\d", another, image["alt"], count=1)


def tag(*names):
    """The tags of the first cell that prints."""

    def change(notebook):
        printing(notebook)["metadata"]["tags"] = list(names)

    return change


def unfold(notebook):
    next(cell for cell in notebooks.code_cells(notebook) if cell["metadata"].get("tags"))["metadata"] = {}


def count(notebook):
    printing(notebook)["execution_count"] += 1


def first_code(those):
    return next(i for i, cell in enumerate(those) if cell["cell_type"] == "code")


def delete_code(those):
    del those[first_code(those) + 1]


def delete_prose(those):
    del those[next(i for i, cell in enumerate(those) if i and cell["cell_type"] == "markdown")]


def swap_code(those):
    i = first_code(those)
    those[i], those[i + 1] = those[i + 1], those[i]


def lower_prose(those):
    i = next(i for i, cell in enumerate(those) if i and cell["cell_type"] == "markdown")
    those[i], those[i + 1] = those[i + 1], those[i]


def add_code(those):
    cell = {"cell_type": "code", "id": "added", "metadata": {}, "execution_count": 1, "outputs": [], "source": "x = 1"}
    those.insert(first_code(those) + 1, cell)


def to_stderr(notebook):
    printing(notebook)["outputs"].append({"output_type": "stream", "name": "stderr", "text": ["I0000 a greeting\n"]})


def output_metadata(notebook):
    drawing(notebook)["outputs"][-1]["metadata"] = {"image/png": {"width": 1}}


def language(notebook):
    notebook["metadata"]["language_info"]["name"] = "r"


def forget_helpers(notebook):
    notebook["metadata"]["mixup_book"]["modules"] = []


def drop_stamp(notebook):
    del notebook["metadata"]["mixup_book"]


def chapter(name):
    return f"book/{name}.ipynb"


def guards_and_nbval(name):
    """The guards, which a forger passes, and then nbval."""
    return GUARDS, chapter(name)


FAULTS = [
    # Outputs
    Fault("a printed number", chapter("syntax"), printed(BEFORE, another)),
    Fault("the last digit of a printed number", chapter("digits"), printed(LAST, another)),
    Fault("the sign of an effect", chapter("accuracy"), printed(r"\+(?=\d)", "-")),
    Fault("a verdict", chapter("noise"), printed("not supported", "supported")),
    Fault("a number of a chapter that may not run", chapter("others"), printed(BEFORE, another)),
    Fault("a number in a figure that moves", chapter("intuition"), moved(LAST, another)),
    Fault("two outputs swapped", chapter("confidence"), swap_outputs),
    Fault("the output of a cell stripped", chapter("small_data"), strip),
    Fault("all outputs stripped", chapter("rivals"), strip_all),
    Fault("an execution count", chapter("devices"), count),
    # Figures
    Fault("two pictures swapped", chapter("alpha"), swap_pictures),
    Fault("the picture of another chapter", chapter("failure"), picture_of("noise")),
    Fault("a number of a figure's sentence", chapter("labels"), sentence),
    Fault("a number of the alt text", chapter("pipelines"), alt_text),
    # Cells
    Fault("code edited, outputs left", chapter("method"), code(r"range\(20\)", "range(21)")),
    Fault("two code cells swapped", chapter("capstone"), cells(swap_code)),
    Fault("a code cell deleted", chapter("questions"), cells(delete_code)),
    Fault("prose deleted", chapter("verdicts"), cells(delete_prose)),
    Fault("prose moved below its output", chapter("index"), cells(lower_prose)),
    Fault("a cell added without output", chapter("check"), cells(add_code)),
    # Tags and other metadata
    Fault("a solution without its tag", chapter("digits"), unfold),
    Fault("code hidden", chapter("syntax"), tag("hide-cell")),
    Fault("an output that nbval shall ignore", chapter("noise"), tag("nbval-ignore-output")),
    Fault("a misspelt tag", chapter("devices"), tag("hide-cel")),
    Fault("another language", chapter("alpha"), language),
    Fault("a stamp that forgets the helpers", chapter("inputs"), forget_helpers),
    Fault("no stamp", chapter("failure"), drop_stamp),
    # What the outputs come from
    Fault("the third decimal of a result", "book/results/accuracy.csv", put(r"(?<=\d\.\d\d)\d(?=\d*\n)", another)),
    Fault("a verdict in a table", "book/results/noise_verdicts.csv", put("not supported", "supported")),
    Fault("a result's row deleted", "book/results/labels.csv", put(r"\n.*\n", "\n")),
    Fault("a helper's constant", "mixup_helpers/evidence.py", put(r"0\.025 /", "0.0251 /")),
    Fault("the figures' style", "mixup_helpers/book.mplstyle", put(r"font\.size: 12", "font.size: 13")),
    Fault("the script of figures that move", "mixup_helpers/moving.js", put(r"toFixed\(2\)", "toFixed(3)")),
    # Prose that quotes results
    Fault("an effect", "book/cheat_sheet.md", put(r"(?<=[+-]\d\.)\d", another), ("tests/test_cheat_sheet.py",)),
    Fault("a verdict in prose", "book/cheat_sheet.md", put("- not supported: .*?; ", "- not supported: "),
          ("tests/test_cheat_sheet.py",)),
    # The same by a forger, who makes the stamps anew
    Fault("a printed number", chapter("syntax"), printed(BEFORE, another), guards_and_nbval("syntax"), forged=True),
    Fault("the last digit of a number", chapter("capstone"), printed(LAST, another), guards_and_nbval("capstone"), forged=True),
    Fault("the output of a cell stripped", chapter("check"), strip, guards_and_nbval("check"), forged=True),
    Fault("code edited, outputs left", chapter("verdicts"), code("digits=2", "digits=1"), guards_and_nbval("verdicts"), forged=True),
    Fault("a timing", chapter("cost"), printed(r"(?<=ratio \d\.)\d+", another), guards_and_nbval("cost"), forged=True),
    Fault("two pictures swapped", chapter("failure"), swap_pictures, forged=True),
    Fault("a line on stderr", chapter("index"), to_stderr, forged=True),
    Fault("an output's metadata", chapter("labels"), output_metadata, forged=True),
    Fault("a result", "book/results/verdicts.csv", put(r"(?<=\d\.\d\d)\d", another), guards_and_nbval("verdicts"), forged=True),
    Fault("percentage points", "mixup_helpers/evidence.py", put(r"_signed\(100 \*", "_signed(100.1 *"), guards_and_nbval("verdicts"),
          forged=True),
    Fault("the grey values", "mixup_helpers/data.py", put("images / 16", "images / 15.99"),
          (GUARDS, "tests/test_chapters_helpers.py"), forged=True),
    Fault("a warning", "mixup_helpers/figures.py", put("import io\n", "import io, warnings; warnings.warn('old')\n"),
          guards_and_nbval("verdicts"), forged=True),
    Fault("Adam's rate", "mixup_helpers/trials.py", put(r"\(0\.001, 0\.9", "(0.00101, 0.9"), guards_and_nbval("questions"),
          forged=True),
    Fault("the weights of rows", "mixup_helpers/tables.py", put(r"1 - lam\]\)$", "1.002 - lam])"), guards_and_nbval("inputs"),
          forged=True),
    Fault("the middle of lam", "mixup_helpers/checks.py", put(r"< 0\.25\)", "< 0.251)"), guards_and_nbval("check"), forged=True),
]  # fmt: skip


def copied(folder):
    """A copy of the project in `folder`."""
    return Path(shutil.copytree(notebooks.ROOT, folder, ignore=LEFT_OUT, dirs_exist_ok=True))


def plant(fault, copy):
    path = copy / fault.file
    before = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        notebook = json.loads(before)
        fault.change(notebook)
        after = json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    else:
        after = fault.change(before)
    if after == before:
        raise ValueError(f"nothing to change in {fault.file}: {fault.name}")
    path.write_text(after, encoding="utf-8")


def forge(copy):
    """Make the stamps of the copy anew, by its own tools, as if its outputs had come from what is there now."""
    spec = importlib.util.spec_from_file_location("notebooks_of_the_copy", copy / "tools" / "notebooks.py")
    theirs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(theirs)
    for path in theirs.on_disk():
        notebook = theirs.read(path)
        used = theirs.used(notebook["metadata"]["mixup_book"])
        notebook["metadata"]["mixup_book"] = theirs.stamp(notebook, used)
        path.write_text(json.dumps(notebook), encoding="utf-8")


def failing(copy, check):
    """The first test of `check` that fails in `copy`, or None; anything else that goes wrong is an error."""
    pytest = [sys.executable, "-m", "pytest", *"--numprocesses=0 --maxfail=1 --tb=no --color=no -q -p no:cacheprovider".split()]
    # The copy's helpers, in the kernels too, and not those that are installed.
    environment = os.environ | {"PYTHONPATH": str(copy)}
    done = subprocess.run([*pytest, check], cwd=copy, env=environment, capture_output=True, text=True)
    if done.returncode == 0:
        return None
    found = re.search(r"(?m)^FAILED (.+?)(?: - .*)?$", done.stdout)
    if done.returncode != 1 or not found:
        raise RuntimeError(f"{check} could not be run:\n{done.stdout}{done.stderr}")
    return found[1]


def caught_by(fault):
    """The test that notices `fault`, or None."""
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(folder)
        plant(fault, copy)
        if fault.forged:
            forge(copy)
        return next(filter(None, (failing(copy, check) for check in fault.checks)), None)


def fails_unchanged(check):
    with tempfile.TemporaryDirectory() as folder:
        return failing(copied(folder), check)


def main():
    checks = sorted({check for fault in FAULTS for check in fault.checks})
    with ThreadPoolExecutor(2) as pool:
        print(f"The unchanged copy passes {len(checks)} checks: ", end="", flush=True)
        found = list(filter(None, pool.map(fails_unchanged, checks)))
        if found:
            return f"no, {found[0]} fails"
        print("yes")
        caught = 0
        for fault, test in zip(FAULTS, pool.map(caught_by, FAULTS)):
            caught += test is not None
            how = f"{Path(fault.file).name}: {fault.name}{', forged' * fault.forged}"
            print(f"{how:66} {test or 'NOT NOTICED'}", flush=True)
    print(f"caught {caught} of {len(FAULTS)}")
    return caught < len(FAULTS)


if __name__ == "__main__":
    sys.exit(main())
