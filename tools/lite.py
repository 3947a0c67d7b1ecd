"""Chapters in the reader's browser: a JupyterLite site beside the pages, and a button on the pages that it has.

`tools/build.py` builds the site; `python tools/lite.py` executes its chapters as they would run there.
As a Sphinx extension it adds the buttons.
"""

import ast
import functools
import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

import notebooks

APP = "lite/lab/index.html"
# Pyodide is Python in the browser. What it ships of what the book imports, and under which name; the
# versions are in requirements-lite.in.
PYODIDE = {name: name for name in ("contourpy", "matplotlib", "numpy", "pandas", "scipy", "tqdm")}
PYODIDE |= {"PIL": "pillow", "sklearn": "scikit-learn"}
KERNEL = "@jupyterlite/pyodide-kernel-extension"
SKIPPED = shutil.ignore_patterns("__pycache__")
ENVIRONMENT = notebooks.ROOT / "_build" / "venv-lite"
# For a kernel that has started, and has its own threads by then: what Pyodide says to who wants one or a process.
AS_IN_A_BROWSER = """
import subprocess, threading
def no_thread(*args, **kwargs):
    raise RuntimeError("can't start new thread")
def no_process(*args, **kwargs):
    raise OSError("emscripten does not support processes.")
def forbid(*args):
    threading.Thread.start, subprocess.Popen.__init__ = no_thread, no_process
get_ipython().events.register("pre_run_cell", forbid)
"""


@functools.cache
def chapters():
    """The notebooks that need nothing but the helpers, the standard library and what Pyodide ships."""
    known = {"mixup_helpers", *sys.stdlib_module_names, *PYODIDE}
    return [path for path in notebooks.in_order() if cells_import(path) | helpers_import(path) <= known]


def cells_import(path):
    """The packages that the notebook at `path` imports itself."""
    return {name for cell in notebooks.code_cells(notebooks.read(path)) for name in imports(notebooks.source(cell))}


def helpers_import(path):
    """The packages that the helpers import which the notebook at `path` had loaded when it was executed."""
    loaded = notebooks.read(path)["metadata"]["mixup_book"]["modules"]
    return {name for helper in loaded for name in imports((notebooks.ROOT / helper).read_text(encoding="utf-8"))}


def imports(code):
    """The packages that `code` imports when it is executed, without what its functions import when they are called."""
    nodes = [ast.parse(code)]
    for node in nodes:  # which grows
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module.split(".")[0]
        elif not isinstance(node, ast.FunctionDef):
            nodes += ast.iter_child_nodes(node)


def build(site, paths):
    """Build the site of the notebooks at `paths`."""
    extension = Path(sys.prefix, "share", "jupyter", "labextensions", *KERNEL.split("/"))
    with tempfile.TemporaryDirectory(dir=site.parent) as folder:
        folder = Path(folder)
        fill(folder / "contents", paths)
        (folder / "pypi").mkdir()
        helpers_wheel(folder / "pypi")
        comm_wheel(folder / "pypi")
        (folder / "jupyter-lite.json").write_text(json.dumps(settings(paths)), encoding="utf-8")
        command = [
            *(sys.executable, "-m", "jupyter", "lite", "build", f"--lite-dir={folder}", f"--output-dir={folder}/site"),
            *(f"--contents={folder}/contents", "--apps=lab", "--no-unused-shared-packages", "--no-sourcemaps"),
            # Of the extensions in this environment only the one that is the kernel.
            *("--ignore-sys-prefix", f"--LiteBuildConfig.federated_extensions={extension}"),
        ]
        run(command, cwd=folder)
        (folder / "site").rename(site)


def fill(folder, paths):
    """The reader's files: the notebooks, and beside them, as in a clone, the helpers and the results."""
    shutil.copytree(notebooks.ROOT / "mixup_helpers", folder / "mixup_helpers", ignore=SKIPPED)
    (folder / "results").mkdir()
    for path in paths:
        shutil.copy(path, folder)
        for name in results_of(path):
            shutil.copy(notebooks.RESULTS / name, folder / "results")


def results_of(path):
    """The files of results that the notebook at `path` reads or writes."""
    stamp = notebooks.read(path)["metadata"]["mixup_book"]
    return stamp["read"] + stamp["written"]


def helpers_wheel(folder):
    """Build the wheel of the helpers, from a copy, since setuptools leaves its files where it builds."""
    with tempfile.TemporaryDirectory() as copy:
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(notebooks.ROOT / name, copy)
        shutil.copytree(notebooks.ROOT / "mixup_helpers", Path(copy, "mixup_helpers"), ignore=SKIPPED)
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel"]
        run([*pip, "--no-deps", "--no-build-isolation", f"--wheel-dir={folder}", "."], cwd=copy)


def comm_wheel(folder):
    """Make a wheel of the installed package comm, which the kernel would fetch from PyPI."""
    comm = importlib.metadata.distribution("comm")
    with zipfile.ZipFile(folder / f"comm-{comm.version}-py3-none-any.whl", "w") as wheel:
        for file in comm.files:
            if "__pycache__" not in file.parts and ".." not in file.parts:
                wheel.write(file.locate(), file)


def settings(paths):
    """Have the kernel load what the helpers import. It finds by itself what a cell imports, but looks no further."""
    needed = {PYODIDE[name] for path in paths for name in helpers_import(path) if name in PYODIDE}
    options = {f"{KERNEL}:kernel": {"loadPyodideOptions": {"packages": sorted(needed)}}}
    return {
        "jupyter-lite-schema-version": 0,
        "jupyter-config-data": {"appName": "The MixUp book", "litePluginSettings": options},
    }


def run(command, **options):
    result = subprocess.run(command, capture_output=True, text=True, close_fds=False, **options)
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stdout}{result.stderr}")


def faults(html, paths):
    """What the built book lacks of the site of the notebooks at `paths`, a sentence each."""
    site = html / "lite"
    version = tomllib.loads((notebooks.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    needed = [html / APP, site / "pypi" / "all.json", site / "pypi" / f"mixup_helpers-{version}-py3-none-any.whl"]
    needed += [site / "files" / name for name in ("mixup_helpers/__init__.py", *(path.name for path in paths))]
    needed += [site / "files" / "results" / name for path in paths for name in results_of(path)]
    for file in needed:
        if not file.exists():
            yield f"{file} was not built"
    for path in paths:
        built = site / "files" / path.name
        if built.exists() and built.read_bytes() != path.read_bytes():
            yield f"{built} is not {path}"
    pages = {page.stem for page in (html / "book").glob("*.html") if APP in page.read_text(encoding="utf-8")}
    for name in sorted(pages ^ {path.stem for path in paths}):
        yield f"{name}.html: the page's button and the lite site do not agree"


def add_button(app, pagename, templatename, context, doctree):
    names = {path.relative_to(notebooks.ROOT).with_suffix("").as_posix(): path.name for path in chapters()}
    if pagename in names:
        button = {
            "type": "link",
            "url": f"{context['pathto'](APP, resource=True)}?path={names[pagename]}",
            "text": "Run in the browser",
            "tooltip": "Open this chapter in JupyterLite: nothing to install",
            "icon": "fas fa-play",
            "label": "lite-button",
        }
        context["header_buttons"].insert(0, button)


def setup(app):
    app.connect("html-page-context", add_button, priority=502)  # after the theme's own buttons
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def python_for_pyodide():
    """Python 3.12, as Pyodide's, if there is one; else the Python that runs this."""
    for python in ("python3.12", sys.executable):
        code = "import sys; print('%d.%d' % sys.version_info[:2])"
        if shutil.which(python):
            said = subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()
            if said in ("3.11", "3.12"):
                return python, said
    sys.exit("The versions that Pyodide ships have wheels for Python 3.11 and 3.12 alone: install one of them.")


def main():
    """Execute the chapters in CPython with Pyodide's versions, and compare every output."""
    python, version = python_for_pyodide()
    place = ENVIRONMENT.relative_to(notebooks.ROOT)
    made = subprocess.run([python, "tools/setup_env.py", place, "requirements-lite.txt", "0.7 GB"], cwd=notebooks.ROOT)
    if made.returncode:
        return made.returncode
    names = [path.relative_to(notebooks.ROOT) for path in chapters()]
    print(f"Python {version}, with Pyodide's versions: {', '.join(path.stem for path in names)}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        startup = Path(folder, "profile_default", "startup")
        startup.mkdir(parents=True)
        (startup / "browser.py").write_text(AS_IN_A_BROWSER, encoding="utf-8")
        inside = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
        # Matplotlib lists a new machine's fonts with a thread; Pyodide's comes with its list.
        subprocess.run([inside, "-c", "import matplotlib.font_manager"], check=True)
        return subprocess.run([inside, "-m", "pytest", *names], cwd=notebooks.ROOT, env=os.environ | {"IPYTHONDIR": folder}).returncode


if __name__ == "__main__":
    sys.exit(main())
