"""Whether every page of the table of contents was built and shows its outputs."""

import html
import re

import notebooks


def missing(page, built_html):
    """What the page in the folder `built_html` lacks of its source, a sentence each."""
    built = built_html / f"{page}.html"
    if not built.exists():
        yield f"{page}: {built} was not built"
        return
    source = notebooks.ROOT / f"{page}.ipynb"
    if not source.exists():
        return
    page_source = built.read_text(encoding="utf-8")
    # A script's text is not shown: a number that stands only there is missing.
    text = squeeze(html.unescape(re.sub(r"(?s)<script\b.*?</script>|<[^>]*>", "", page_source)))
    notebook = notebooks.read(source)
    for cell in notebooks.code_cells(notebook):
        for output in cell["outputs"]:
            shown = "".join(output.get("text") or output["data"].get("text/plain", ""))
            if squeeze(shown) not in text:
                yield f"{page}: the page lacks the output {shown[:60]!r}"
    pictures = page_source.count("_images/")
    wanted = len(list(notebooks.figures(notebook)))
    outputs = [output for cell in notebooks.code_cells(notebook) for output in cell["outputs"]]
    moving = sum("text/html" in output.get("data", {}) for output in outputs)
    if page_source.count('<figure class="moving ') != moving:
        yield f"{page}: the page does not have its figures that move, {moving} of them"
    if pictures < wanted:
        yield f"{page}: the page has {pictures} of {wanted} pictures"


def squeeze(text):
    # Smart quotes and white space are the page's own affair.
    return re.sub(r"\s+", "", text).translate({ord(c): None for c in "'\"‘’“”"})
