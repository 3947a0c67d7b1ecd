"""Resolve requirements.in into requirements.txt, then resolve that for every supported system: `make lock`."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import mutex

ROOT = Path(__file__).resolve().parent.parent
# TensorFlow has no wheel for macOS on Intel since 2.17, so the book supports Apple silicon alone.
PLATFORMS = ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"]
PYTHONS = ["3.11", "3.12", "3.13"]
COMPILE = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]


def main():
    target, beside = ROOT / "requirements.txt", ROOT / "_build" / "requirements.txt"
    shutil.copy(target, beside)  # uv keeps the pins that it finds where it writes
    run("--universal", "--python-version", PYTHONS[0], "requirements.in", "--output-file", str(beside))
    for platform in PLATFORMS:
        for python in PYTHONS:
            with tempfile.NamedTemporaryFile(suffix=".txt") as out:
                run(
                    *("--python-platform", platform, "--python-version", python),
                    *("--only-binary", ":all:", str(beside), "--output-file", out.name),
                )
                pins = Path(out.name).read_text().count("==")
            print(f"{platform:24} Python {python}: {pins} packages, each with a wheel")
    beside.replace(target)


def run(*arguments):
    result = subprocess.run([*COMPILE, *arguments], cwd=ROOT, capture_output=True, text=True, close_fds=False)
    if result.returncode:
        sys.exit(f"{' '.join(arguments)}\n{result.stderr}")


if __name__ == "__main__":
    with mutex.held("`make lock`"):
        main()
