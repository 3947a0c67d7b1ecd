"""Make the book's own environment, .venv, from requirements.txt: `python tools/setup_env.py`.

Runs under any Python, so that a wrong one gets a clear line instead of a syntax error.
"""

from __future__ import print_function

import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(["Scripts", "python.exe"] if os.name == "nt" else ["bin", "python"]))
DONE = os.path.join(VENV, "installed.txt")  # a copy of what was installed, written last
LOG = os.path.join(ROOT, "_build", "install.log")
REASONS = [
    (r"ensurepip is not|No module named venv", "this Python lacks venv (on Debian and Ubuntu: apt install python3-venv)."),
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
    with open(os.path.join(ROOT, "requirements.txt")) as file:
        wanted = "{0}\nPython {1}.{2}\n{3}".format(VENV, sys.version_info[0], sys.version_info[1], file.read())
    try:
        with open(DONE) as file:
            if file.read() == wanted:
                return None
    except (IOError, OSError):
        pass
    try:
        os.makedirs(os.path.dirname(LOG), exist_ok=True)
        # An environment that was not finished is started again: nobody has to clean up by hand.
        shutil.rmtree(VENV, ignore_errors=True)
        with open(LOG, "w") as log:
            print("Making .venv (once; the packages take about 3 GB)", flush=True)
            run([sys.executable, "-m", "venv", VENV], log)
            pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "install"]
            total = len(re.findall(r"(?m)^[a-z].*==", wanted))
            run(pip + ["-r", os.path.join(ROOT, "requirements.txt")], log, total)
            run(pip + ["--no-deps", "--no-build-isolation", "-e", ROOT], log)
        with open(DONE, "w") as file:
            file.write(wanted)
    except (OSError, subprocess.CalledProcessError) as error:
        with open(LOG) as log:
            text = "{0}\n{1}".format(log.read(), error)
        reason = next((why for pattern, why in REASONS if re.search(pattern, text)), "see " + LOG)
        return "installing failed: " + reason
    return None


def run(command, log, total=None):
    """Run `command` with its output in `log`; show on the screen which pin pip is at."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT)
    for line in process.stdout:
        log.write(line)
        pin = re.match(r"(?:Collecting|Processing) (\S+) .*requirements.txt \(line (\d+)\)", line)
        if pin:
            print("[{0:>3}/{1}] {2}".format(pin.group(2), total, pin.group(1).split("/")[-1]), flush=True)
        elif line.startswith("Installing collected"):
            print("Unpacking them (a minute or two)" if total else "Installing mixup_helpers", flush=True)
    log.flush()
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, command)


if __name__ == "__main__":
    problem = main()
    if problem:
        sys.exit("MixUp book: " + problem)
