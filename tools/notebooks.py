"""What makes a stored notebook trustworthy: the stamp of its outputs, and the faults that nbval does not see."""

import ast
import base64
import hashlib
import html
import importlib.util
import io
import json
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BOOK = ROOT / "book"
RESULTS = BOOK / "results"
HTML = ROOT / "_build" / "html"
# The packages that compute or draw what the chapters show; without the hashes, which follow after a backslash.
PINS = re.compile(
    r"(?m)^(?:contourpy|keras|matplotlib|numpy|pandas|pillow|scikit-learn|scipy|tensorflow)==.*?(?= \\$|$)"
)
STYLE = ROOT / "mixup_helpers" / "book.mplstyle"
TAGS = {"hide-input", "hide-cell"}
# What a notebook says of its language; another one would change how its page shows the code.
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
OPTIONAL = {"others": "timm"}  # chapters that need a package which the book's own set-up leaves out: `make torch`
MEND = "run `make regen`"
# What `mixup_helpers.moving` makes, and the sentence in it.
MOVING = re.compile(
    r'(?s)<figure class="moving [^<]*<style>.*<figcaption aria-live="polite">([^<]*)</figcaption>\n<script>.*</figure>'
)
# How a page would reach for something outside itself.
OUTSIDE = re.compile(
    r"(?i)https?:|\b(?:src|srcset|href|action)\s*=|\bimport\b|url\(|fetch|XMLHttp|WebSocket|EventSource|Beacon"
)
LARGEST = 60_000  # bytes that a figure that moves may add to its page


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def on_disk():
    """The notebooks under book/, whether the table of contents knows them or not."""
    return sorted(path for path in BOOK.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


def can_run(path):
    """Whether what the notebook at `path` needs is installed."""
    return path.stem not in OPTIONAL or importlib.util.find_spec(OPTIONAL[path.stem]) is not None


def in_toc():
    """The pages of the table of contents, in its order, without their endings."""
    from sphinx_external_toc.parsing import parse_toc_yaml  # only the book's own environment has it

    return list(parse_toc_yaml(ROOT / "_toc.yml"))


def in_order():
    """The notebooks on disk, in the order of the table of contents; the unlisted come last."""
    place = {page: number for number, page in enumerate(in_toc())}
    return sorted(on_disk(), key=lambda path: place.get(path.relative_to(ROOT).with_suffix("").as_posix(), len(place)))


def unlisted():
    """Notebooks that are on disk or in the table of contents, but not in both."""
    found = {path.relative_to(ROOT).with_suffix("").as_posix() for path in on_disk()}
    listed = {page for page in in_toc() if not (ROOT / f"{page}.md").exists()}
    return sorted(found ^ listed)


def unclaimed():
    """Result files that no chapter and no benchmark writes."""
    stamps = [read(path)["metadata"].get("mixup_book", {}) for path in on_disk()]
    written = {name for stamp in stamps for name in stamp.get("written", [])}
    benchmarks = [path.read_text(encoding="utf-8") for path in (ROOT / "benchmarks").glob("*.py")]
    measured = {f"{name}.csv" for text in benchmarks for name in re.findall(r'table\.write\("(\w+)"', text)}
    return sorted({path.name for path in RESULTS.glob("*.csv")} - written - measured)


def used(stamp):
    """What of a stored stamp says what the outputs came from."""
    return {kind: stamp[kind] for kind in ("modules", "read", "written")}


def stamp(notebook, used):
    """Hashes of what the outputs came from and of the outputs themselves.

    `used` says which modules of mixup_helpers the notebook had loaded when it was
    executed, and which files of results it had read and written; `make regen` asks the kernel.
    """
    # Of the prose only where it stands: a better sentence costs no run, an output below other words is another page.
    cells = [source(cell) if cell["cell_type"] == "code" else cell["cell_type"] for cell in notebook["cells"]]
    modules = [ROOT / name for name in used["modules"]]
    helpers = [without_comments(path.read_text(encoding="utf-8")) for path in modules]
    # A script beside a module is a part of it.
    helpers += [path.read_text(encoding="utf-8") for path in (m.with_suffix(".js") for m in modules) if path.exists()]
    results = {
        kind: [(RESULTS / name).read_text(encoding="utf-8") for name in used[kind]] for kind in ("read", "written")
    }
    pins = PINS.findall((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    outputs = [(cell["execution_count"], cell["outputs"]) for cell in code_cells(notebook)]
    return {
        **used,
        "made_from": digest([cells, helpers, pins, STYLE.read_text(encoding="utf-8"), results["read"]]),
        "outputs": digest([outputs, results["written"]]),
    }


def digest(value):
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def code_cells(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def source(cell):
    return "".join(cell["source"])


def without_comments(text):
    """Python source without docstrings and comments: none of them can change an output."""
    lines = text.splitlines()
    gone = [  # from (row, column) to (row, column)
        (token.start, token.end)
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            doc = node.body[0]
            end = len(lines[doc.end_lineno - 1].encode()[: doc.end_col_offset].decode())  # ast counts bytes
            gone.append(((doc.lineno, doc.col_offset), (doc.end_lineno, end)))
    for (first, left), (last, right) in sorted(gone, reverse=True):
        rest = (lines[first - 1][:left] + lines[last - 1][right:]).rstrip()
        lines[first - 1 : last] = [rest] if rest else []
    return "\n".join(lines)


def stale(notebook):
    """Why the stored outputs can't be trusted, or None."""
    stored = notebook["metadata"].get("mixup_book")
    if stored is None:
        return f"was never executed by the book's own tool: {MEND}"
    needed = [ROOT / name for name in stored["modules"]]
    needed += [RESULTS / name for name in stored["read"] + stored["written"]]
    missing = [path.relative_to(ROOT).as_posix() for path in needed if not path.exists()]
    if missing:
        return f"goes with {missing[0]}, which is gone: {MEND}"
    now = stamp(notebook, used(stored))
    if now["made_from"] != stored["made_from"]:
        return f"its cells, a helper or a result that it uses or a pin has changed since its outputs were made: {MEND}"
    if now["outputs"] != stored["outputs"]:
        return f"its stored outputs or results are not the ones that were made: {MEND} ALL=1"
    return None


def figures(notebook):
    """(cell, sentence, PNG in base64) for every picture among the outputs."""
    for cell in code_cells(notebook):
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                yield cell, "".join(data.get("text/plain", "")), "".join(data["image/png"])


def faults(path):
    """Everything wrong with the stored notebook at `path`, a sentence each."""
    try:
        return _faults(read(path))
    except (AttributeError, KeyError, TypeError, ValueError, tokenize.TokenError, SyntaxError) as error:
        return [f"or a helper that it uses is not well-formed ({error!r}): {MEND}"]


def _faults(notebook):
    found = []
    reason = stale(notebook)
    if reason:
        found.append(reason)
    counts = [cell["execution_count"] for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        found.append(f"execution counts are {counts}, not 1 to {len(counts)}: {MEND}")
    for number, cell in enumerate(code_cells(notebook), 1):
        strange = set(cell["metadata"].get("tags", [])) - TAGS
        if strange:
            found.append(f"code cell {number} has the unknown tag {sorted(strange)[0]!r}")
        if re.search(r"(?i)#\s*(nbval|pytest)_", source(cell)):
            found.append(f"code cell {number} switches nbval off by a comment")
        for output in cell["outputs"]:
            if output.get("name") == "stderr":
                found.append(f"code cell {number} writes to stderr: {''.join(output['text'])[:80]!r}")
            data = output.get("data", {})
            if "text/html" in data:
                found += [f"code cell {number} {fault}" for fault in moving_faults(data)]
            if set(data) - {"text/plain", "image/png", "text/html"}:
                found.append(f"code cell {number} shows {sorted(data)}; only text and PNG are compared")
            if output.get("metadata"):
                found.append(f"code cell {number} has an output with metadata: {sorted(output['metadata'])}")
            if output["output_type"] == "error":
                found.append(f"code cell {number} ends in {output['ename']}")
            if re.search(r"\w*Warning:|WARNING:|port\.cc|cpu_feature_guard", json.dumps(output)):
                found.append(f"code cell {number} shows a warning or TensorFlow's start-up lines")
    for cell, sentence, png in figures(notebook):
        if sentence.encode() not in base64.b64decode(png):
            found.append(f"a picture was made with another sentence than {sentence!r}: {MEND}")
        if sentence.startswith("<") or len(sentence) < 20:
            found.append(f"a figure has no sentence that says what it shows: {sentence!r}")
        if cell["metadata"].get("mystnb") != figure_metadata(sentence):
            found.append(f"a figure's alt text or caption is not its sentence: {MEND}")
    # Metadata can hide cells, resize pictures and have the page executed anew: only what is known may stand there.
    if {key: value for key, value in notebook["metadata"].items() if key != "mixup_book"} != KERNEL:
        found.append(f"the notebook has unknown metadata {sorted(notebook['metadata'])}: {MEND}")
    drawn = [cell for cell, _, _ in figures(notebook)]
    for index, cell in enumerate(notebook["cells"]):
        known = {"tags"} if cell["cell_type"] == "code" else set()
        known |= {"mystnb"} if cell in drawn else set()
        if set(cell["metadata"]) - known or cell.get("attachments"):
            found.append(f"cell {index} has unknown metadata or attachments: {sorted(cell['metadata'])}")
    return found


def moving_faults(data):
    """What is wrong with an output in HTML: only the figures of `mixup_helpers.moving` may be that."""
    page, sentence = ("".join(data.get(kind, "")) for kind in ("text/html", "text/plain"))
    made = MOVING.fullmatch(page)
    if set(data) != {"text/plain", "text/html"} or not made or page.count("<figure") != 1 or page.count("<script") != 1:
        yield "shows HTML that is no figure of mixup_helpers.moving"
        return
    if len(sentence) < 20 or html.unescape(made.group(1)) != sentence:
        yield f"has a figure whose caption is not its sentence: {sentence!r}"
    if OUTSIDE.search(page):
        yield f"has a figure that asks for something outside its page: {OUTSIDE.search(page).group()!r}"
    if len(page.encode()) > LARGEST:
        yield f"has a figure of {len(page.encode()):,} bytes; at most {LARGEST:,} are allowed"


def figure_metadata(sentence):
    """What tells the page that `sentence` is the alt text and the caption of a cell's picture."""
    return {"image": {"alt": sentence}, "figure": {"caption": sentence}}
