"""Make the book's own environment, .venv, from requirements.txt: `python tools/setup_env.py`.

Another is made by `python tools/setup_env.py PLACE REQUIREMENTS SIZE`.

Runs under any Python, so that a wrong one gets a clear line instead of a syntax error.
"""

from __future__ import print_function

import bisect
import io
import os
import re
import shutil
import subprocess
import sys

import mutex

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
NAME, PINS, SIZE = sys.argv[1:] if __name__ == "__main__" and sys.argv[1:] else (".venv", "requirements.txt", "3 GB")
VENV = os.path.join(ROOT, NAME)
PYTHON = os.path.join(VENV, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]))
# What was installed, written last; empty while an installation is under way. An
# environment without this file is somebody else's.
DONE = os.path.join(VENV, "installed-by-make.txt")
LOG = os.path.join(ROOT, "_build", "install.log")
REASONS = [
    (r"ensurepip is not|No module named venv", "this Python lacks venv (on Debian and Ubuntu: apt install python3-venv)."),
    (
        "DO NOT MATCH THE HASHES",
        "a package that was fetched isn't the one that was pinned: its hash differs (see _build/install.log).",
    ),
    (r"No space left on device|Errno 28|not enough space", "the disk is full."),
    (
        r"NameResolutionError|NewConnectionError|Network is unreachable|Failed to establish|ProxyError"
        r"|ConnectTimeout|ReadTimeout|Temporary failure in name resolution",
        "the package index can't be reached. Is there a network connection?",
    ),
]


def main():
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        return "needs Python 3.11 to 3.13, but {0} is {1}.{2}. Try: make book PYTHON=python3.12".format(
            sys.executable, *sys.version_info[:2]
        )
    pins = read(os.path.join(ROOT, PINS))
    wanted = "{0}\nPython {1}.{2}\n{3}".format(VENV, sys.version_info[0], sys.version_info[1], pins)
    if installed(wanted):
        return None
    try:
        with mutex.held("the installation of " + NAME):
            if installed(wanted):  # by the process that was waited for
                return None
            # What a link leads to is another clone's, perhaps.
            if os.path.islink(VENV) or os.path.isdir(VENV) and os.listdir(VENV) and not os.path.exists(DONE):
                return NAME + " is there already, and not from make. Rename it or remove it."
            start_again()
            with io.open(LOG, "w", encoding="utf-8") as log:
                install(log, pins)
            with io.open(DONE, "w", encoding="utf-8") as file:
                file.write(wanted)
    except KeyboardInterrupt:
        return "interrupted. Run the same command again; nothing needs cleaning up."
    except (OSError, subprocess.CalledProcessError) as error:
        text = "{0}\n{1}".format(read(LOG) if os.path.isfile(LOG) else "", error)
        reason = next((why for pattern, why in REASONS if re.search(pattern, text)), "{0} (see {1})".format(error, LOG))
        return "installing failed: " + reason
    return None


def installed(wanted):
    return os.path.exists(PYTHON) and os.path.exists(DONE) and read(DONE) == wanted


def start_again():
    """Leave nothing in VENV but the mark that it is ours: an unfinished one is not mended."""
    os.makedirs(VENV, exist_ok=True)
    io.open(DONE, "w").close()
    for name in os.listdir(VENV):
        path = os.path.join(VENV, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        elif path != DONE:
            os.remove(path)


def install(log, pins):
    lines = [number for number, line in enumerate(pins.splitlines(), 1) if re.match("[a-z].*==", line)]
    print("Making {0} (once; the packages take about {1})".format(NAME, SIZE), flush=True)
    run([sys.executable, "-m", "venv", VENV], log, lines)
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install"]
    run(pip + ["-r", os.path.join(ROOT, PINS)], log, lines)
    run(pip + ["--no-deps", "--no-build-isolation", "-e", ROOT], log, lines)


def run(command, log, lines):
    """Run `command` with its output in `log`; show on the screen which pin pip is at. `lines` has each pin's line."""
    # Settings that would send the packages elsewhere.
    environment = {k: v for k, v in os.environ.items() if k not in ("PIP_USER", "PIP_TARGET", "PIP_PREFIX")}
    environment["TMPDIR"] = VENV  # what pip unpacks goes with the rest, should it be killed
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT, env=environment,
        encoding="utf-8", errors="replace", close_fds=False,
    )  # fmt: skip
    for line in process.stdout:
        log.write(line)
        pin = re.match(r"(?:Collecting|Processing) (\S+) .*requirements\S*.txt \(line (\d+)\)", line)
        if pin:
            number = bisect.bisect(lines, int(pin.group(2)))
            print("[{0:>3}/{1}] {2}".format(number, len(lines), pin.group(1).split("/")[-1]), flush=True)
        elif line.startswith("Installing collected"):
            print("Unpacking (a minute or two)", flush=True)
    process.stdout.close()
    log.flush()
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, command)


def read(path):
    with io.open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


if __name__ == "__main__":
    problem = main()
    if problem:
        sys.exit("MixUp book: " + problem)
