"""Execute the chapters whose outputs are stale, in place, and stamp them: `python tools/regen.py [--all]`."""

import argparse
import ast
import json
import os
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tqdm import tqdm

import mutex
import notebooks

USED = """\
import os, sys
files = getattr(sys.modules.get("mixup_helpers.evidence"), "files", {{"read": [], "written": []}})
{{"modules": [os.path.relpath(os.path.realpath(m.__file__), {root!r}).replace(os.sep, "/")
             for n, m in sorted(sys.modules.items()) if n.split(".")[0] == "mixup_helpers"],
 "read": sorted(set(files["read"]) - set(files["written"])), "written": sorted(files["written"])}}"""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every chapter, stale or not")
    everything = parser.parse_args().all
    with mutex.held("`make regen`"):
        for left in notebooks.BOOK.rglob("*.tmp"):  # by a run that was killed
            left.unlink()
        return regenerate(everything)


def regenerate(everything=False):
    done = []
    # In the order of the book, and asked one by one: a chapter's new results make the chapters that read them stale.
    for path in notebooks.in_order():
        if everything or notebooks.faults(path):
            done.append(path)
            if notebooks.can_run(path):
                execute(path)
            else:
                print(f"{path.name}: left as it is, since its packages are not installed; `make torch` installs them")
    # The start page comes first and reads what a later chapter writes.
    for path in notebooks.in_order():
        if notebooks.can_run(path) and notebooks.stale(notebooks.read(path)):
            execute(path)
            done.append(path)
    if not done:
        print("Every chapter's outputs are up to date.")
    left = {path: notebooks.faults(path) for path in done}
    for path, found in left.items():
        for fault in found:
            print(f"{path.relative_to(notebooks.ROOT)}: {fault}", file=sys.stderr)
    return any(left.values())


def execute(path):
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata = dict(notebooks.KERNEL)
    client = NotebookClient(
        notebook,
        timeout=600,
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=ERROR"],
        resources={"metadata": {"path": str(path.parent)}},
    )
    cells = list(enumerate(notebook.cells))
    with client.setup_kernel():
        for index, cell in tqdm(cells, desc=path.stem, unit="cell", file=sys.stdout):
            try:
                client.execute_cell(cell, index)
            except CellExecutionError as error:
                sys.exit(f"{path.name}: cell {index} fails, nothing was written\n{error}")
        probe = nbformat.v4.new_code_cell(USED.format(root=str(notebooks.ROOT)))
        notebook.cells.append(probe)
        client.execute_cell(probe, len(cells))
        notebook.cells.pop()
    for number, cell in enumerate(notebooks.code_cells(notebook), 1):
        cell.execution_count = number
        cell.metadata = {"tags": cell.metadata["tags"]} if cell.metadata.get("tags") else {}
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number
    for cell, sentence, _ in notebooks.figures(notebook):
        cell.metadata["mystnb"] = notebooks.figure_metadata(sentence)
    write(path, notebook, used=ast.literal_eval(probe.outputs[0].data["text/plain"]))


def write(path, notebook, used):
    """Stamp and store, beside first and then in place, so that nobody ever reads half a notebook."""
    nbformat.validate(notebook)
    beside = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        nbformat.write(notebook, beside)
        # The stamp is made from the file, so that it is made from what a reader of the file sees.
        stored = notebooks.read(beside)
        stored["metadata"]["mixup_book"] = notebooks.stamp(stored, used)
        beside.write_text(json.dumps(stored, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(main())
