"""Print the whole book to one PDF with headless Chromium: `make pdf`."""

import shutil
import subprocess
import sys
from pathlib import Path

import chromium
import mutex
import notebooks

BUILD = notebooks.ROOT / "_build" / "pdf"
PAGES = BUILD / "_build" / "singlehtml"  # where Jupyter Book writes it
PDF = notebooks.ROOT / "_build" / "mixup-book.pdf"
NUMBER = '<div style="width: 100%; font-size: 8px; text-align: center"><span class="pageNumber"></span></div>'
# Solutions are folded on the page; on paper nothing can be unfolded.
UNFOLD = "document.querySelectorAll('details').forEach(part => { part.open = true })"


def main():
    if BUILD.exists():  # a killed build may have left files half-written
        shutil.rmtree(BUILD)
    command = ["build", ".", "--builder", "custom", "--custom-builder", "singlehtml", "--path-output", str(BUILD)]
    command = [Path(sys.executable).with_name("jupyter-book"), *command, "-W", "-n", "--keep-going", "-q"]
    built = subprocess.run(command, cwd=notebooks.ROOT, close_fds=False)
    if built.returncode:
        return "the book could not be built as one page, see above"
    # The builder writes every address as if its page stood one folder higher.
    whole = (PAGES / "book" / "index.html").replace(PAGES / "book.html")
    beside = PDF.with_suffix(".tmp.pdf")
    try:
        with chromium.started() as browser:
            page = browser.new_page(color_scheme="light")
            page.goto(whole.as_uri())
            page.evaluate(UNFOLD)
            page.pdf(
                path=beside, format="A4", scale=0.85, outline=True, tagged=True, print_background=True,
                display_header_footer=True, header_template="<span></span>", footer_template=NUMBER,
                margin={"top": "18mm", "bottom": "18mm", "left": "18mm", "right": "18mm"},
            )  # fmt: skip
        beside.replace(PDF)
    finally:
        beside.unlink(missing_ok=True)
    print(f"Printed {PDF}")
    return None


if __name__ == "__main__":
    with mutex.held("`make pdf`"):
        sys.exit(main())
