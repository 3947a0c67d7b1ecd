"""Try the oldest and newest versions that pyproject.toml allows, and the book's pins as on other processors.

`python tools/versions.py` (`make versions`) does it all; with `--quick`, what needs NumPy alone, on this Python.
"""

import importlib.metadata
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import mutex

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ["3.11", "3.13"]
HERE = "{}.{}".format(*sys.version_info)
# The oldest that have a wheel for that Python: nobody builds TensorFlow to try a helper.
ENDS = {"oldest": "lowest-direct", "newest": "highest"}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NEEDED = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["book"]
TOOLS = ["hypothesis", "ipykernel", "pytest", "pytest-xdist"]  # at the book's own pins
# Without TensorFlow, which takes minutes; one test needs a package that it would bring.
QUICK_NEEDED = [name for name in NEEDED if not name.startswith("tensorflow")]
QUICK_TOOLS = [*TOOLS, "ml-dtypes"]
QUICK_TESTS = ["tests/test_mixing.py", "tests/test_inputs.py", "mixup_helpers/mixing.py", "mixup_helpers/tables.py"]
TESTS = "chapters_helpers checks evidence inputs mixing pipelines properties training trials".split()
TESTS = [f"tests/test_{name}.py" for name in TESTS] + ["mixup_helpers"]
SHOWN = ["numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "keras", "tensorflow"]
# oneDNN computes TensorFlow's layers: as without AVX-512, as on a very old processor with one core, as with many.
PROCESSORS = [
    {"ONEDNN_MAX_CPU_ISA": "AVX2"},
    {"ONEDNN_MAX_CPU_ISA": "SSE41", "TF_NUM_INTRAOP_THREADS": "1"},
    {"TF_NUM_INTRAOP_THREADS": "8", "OMP_NUM_THREADS": "4"},
]


def uv(*arguments):
    """What uv says. It may download packages, but no Python."""
    command = [sys.executable, "-m", "uv", "--no-python-downloads", "--system-certs", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout.strip()


def interpreter(version):
    """A Python of that version: this one, pyenv's or what uv finds; None if there is none."""
    if version == HERE:
        return sys.executable
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"), "versions")
    try:
        return next(pyenv.glob(f"{version}.*/bin/python"), None) or uv("python", "find", "--system", version)
    except RuntimeError:
        return None


def environment(place, python, resolution, needed, tools):
    """Make an environment at `place`; its Python, and the versions that it has."""
    uv("venv", "--clear", "--python", python, place)
    inside = place / ("Scripts" if os.name == "nt" else "bin") / "python"
    pins = [f"{name}=={importlib.metadata.version(name)}" for name in tools]
    install = ["pip", "install", "--python", inside, "--only-binary", ":all:", "--resolution", resolution]
    uv(*install, *needed, *pins)
    has = dict(line.split("==") for line in uv("pip", "freeze", "--python", inside).splitlines())
    return inside, ", ".join(f"{name} {has[name]}" for name in SHOWN if name in has)


def passes(python, paths, options=(), **settings):
    """Whether the tests pass, after pytest's last line about them, or all of it if they don't."""
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options, *paths]
    # The helpers of this clone, not installed ones.
    environ = os.environ | {"PYTHONPATH": str(ROOT)} | settings
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True)
    print(f"  {done.stdout.splitlines()[-1]}" if done.returncode == 0 else done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def tried(version, end, needed=NEEDED, tools=TOOLS, tests=TESTS):
    """Whether the helpers' tests pass with one end of the versions on one Python."""
    python = interpreter(version)
    if python is None:
        print(f"Python {version}, {end}: not checked, there is no Python {version} here")
        return False
    place = ROOT / "_build" / "versions" / f"{version}-{end}"
    inside, versions = environment(place, python, ENDS[end], needed, tools)
    print(f"Python {version}, {end}: {versions}", flush=True)
    # Old packages do what later ones deprecate.
    options = ["-o", "addopts=--doctest-modules --numprocesses=2", "-W", "ignore::DeprecationWarning"]
    return passes(inside, tests, options)


def main():
    if sys.argv[1:] == ["--quick"]:
        good = [tried(HERE, end, QUICK_NEEDED, QUICK_TOOLS, QUICK_TESTS) for end in ENDS]
    else:
        good = [tried(version, end) for version in PYTHONS for end in ENDS]
        for settings in PROCESSORS:
            print("The book's pins:", *(f"{name}={value}" for name, value in settings.items()), flush=True)
            good.append(passes(sys.executable, ["book"], **settings))
    print(f"passed with {sum(good)} of {len(good)}")
    return not all(good)


if __name__ == "__main__":
    with mutex.held("`make versions`"):
        sys.exit(main())
