"""The stored notebooks, in what nbval does not look at. nbval itself runs beside these tests, on every chapter."""

import re
from pathlib import Path
from unittest.mock import Mock, call

import nbval.kernel
import notebooks
import pytest
import yaml

CHAPTERS = notebooks.on_disk()
# Where code is folded: the solutions, and on the start page what draws its picture and its verdicts.
FOLDED = {
    "Check yourself": ["hide-cell"],
    "MixUp: see it, test it, use it": ["hide-input"],
    "When would one use it?": ["hide-input"],
}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_chapter_has_no_fault(path):
    assert notebooks.faults(path) == []


def test_every_notebook_is_in_the_table_of_contents():
    assert notebooks.unlisted() == []


def test_every_file_of_results_is_written_by_a_chapter():
    assert notebooks.unclaimed() == []


def test_the_pages_show_the_stored_outputs():
    config = yaml.safe_load((notebooks.ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert config["execute"]["execute_notebooks"] == "off"


def prose_of(notebook):
    return "\n".join(notebooks.source(cell) for cell in notebook["cells"] if cell["cell_type"] == "markdown")


def test_the_map_names_every_chapter_and_its_minutes():
    listed = dict(re.findall(r"\| \[[^]]+\]\((\w+)\.\w+\) \|.*\| (\d+) \|", prose_of(notebooks.read(notebooks.BOOK / "index.ipynb"))))
    back_matter = {"index", "reference", "glossary", "references"}
    assert listed.keys() == {Path(page).name for page in notebooks.in_toc()} - back_matter
    found = {path.stem: re.search(r"It takes (\d+) minutes", prose_of(notebooks.read(path))) for path in CHAPTERS if path.stem != "index"}
    assert {name: minutes[1] for name, minutes in found.items()} == {name: listed[name] for name in found}


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_code_is_folded_where_it_should_be(path):
    section = None
    for cell in notebooks.read(path)["cells"]:
        if cell["cell_type"] == "markdown":
            section = [section, *re.findall(r"(?m)^##? (.+)$", notebooks.source(cell))][-1]
        else:
            assert cell["metadata"].get("tags", []) == FOLDED.get(section, [])


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_the_chapter_keeps_to_the_anatomy(path):
    notebook = notebooks.read(path)
    cells = [notebooks.source(cell).splitlines() for cell in notebooks.code_cells(notebook)]
    lengths = [len(lines) for lines in cells]
    assert max(lengths) <= 12
    assert max(len(line) for lines in cells for line in lines) <= 84, "what the page shows without scrolling"
    prose = prose_of(notebook)
    assert prose.startswith("# ")
    assert len(re.findall(r"(?m)^:::|^```\{", prose)) <= 3, "at most three admonitions"
    if path.stem != "index":
        assert 15 <= len(lengths) <= 25
        for heading in ("You will be able to", "## Check yourself", "## In practice", "## What you learned"):
            assert heading in prose


def test_a_kernel_whose_ports_somebody_took_is_started_again(pytestconfig, monkeypatch):
    died = RuntimeError("Kernel died before replying")
    start = Mock(side_effect=[died, died, "a kernel", died, died, died])
    monkeypatch.setattr(nbval.kernel, "start_new_kernel", start)
    pytestconfig.pluginmanager.getplugin(str(notebooks.ROOT / "conftest.py")).pytest_configure(pytestconfig)
    assert nbval.kernel.start_new_kernel(kernel_name="python3") == "a kernel"
    with pytest.raises(RuntimeError, match="died"):
        nbval.kernel.start_new_kernel(kernel_name="python3")
    assert start.call_args_list == [call(kernel_name="python3")] * 6
