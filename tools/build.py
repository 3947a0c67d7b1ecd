"""Build the book into _build/html, with the chapters of the browser: `python tools/build.py`."""

import shutil
import subprocess
import sys
from pathlib import Path

import check_html
import lite
import mutex
import notebooks

BESIDE = notebooks.ROOT / "_build" / "new"


def main():
    with mutex.held("`make book`"):
        # From nothing: what a killed build has left half-written could pass for finished.
        if BESIDE.exists():
            shutil.rmtree(BESIDE)
        print("Building the book (about a minute)", flush=True)
        command = ["build", ".", "--path-output", str(BESIDE), "-W", "-n", "--keep-going"]
        jupyter_book = Path(sys.executable).with_name("jupyter-book")
        # It says where it has put the book, which is not where it will be; what it complains of is on stderr.
        quiet = {"stdout": subprocess.DEVNULL, "close_fds": False}
        if subprocess.run([jupyter_book, *command], cwd=notebooks.ROOT, **quiet).returncode:
            return "the book could not be built, see above"
        html = BESIDE / "_build" / "html"
        lite.build(html / "lite", lite.chapters())
        pages = notebooks.in_toc()
        problems = [problem for page in pages for problem in check_html.missing(page, html)]
        problems += lite.faults(html, lite.chapters())
        if problems:
            return "\n".join(problems)
        put_in_place(html)
    print(f"Built {len(pages)} pages, {len(lite.chapters())} of them to run in the browser.")
    print(f"Open {notebooks.HTML / 'index.html'}, or run `make serve`.")
    return None


def put_in_place(html):
    """Nobody ever sees half a book: the old one is whole until the new one has its name."""
    if notebooks.HTML.exists():
        notebooks.HTML.rename(BESIDE / "old")
    html.rename(notebooks.HTML)
    shutil.rmtree(BESIDE)


if __name__ == "__main__":
    sys.exit(main())
