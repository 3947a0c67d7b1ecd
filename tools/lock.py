"""Resolve each .in file into pins with hashes, and all but PyTorch's for every supported system: `make lock`."""

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
# The Pythons that each file is tried on. PyTorch has no wheel for the oldest macOS that TensorFlow has one for.
FILES = {"requirements": PYTHONS, "requirements-lite": PYTHONS[:2], "requirements-tools": PYTHONS, "requirements-torch": []}
# What is installed beside the book's own pins agrees with them.
BESIDE = {"requirements-tools", "requirements-torch"}
COMPILE = [sys.executable, "-m", "uv", "--system-certs", "pip", "compile", "--quiet", "--no-header", "--no-annotate"]


def main():
    with tempfile.TemporaryDirectory(dir=ROOT / "_build") as folder:
        beside = {name: Path(folder, f"{name}.txt") for name in FILES}
        for name, pins in beside.items():
            # Pins that are in the output already stay, as far as the .in file lets them.
            shutil.copy(ROOT / pins.name, pins)
            run(
                *("--universal", "--generate-hashes", "--python-version", PYTHONS[0], f"{name}.in"),
                *(("--constraint", str(beside["requirements"])) if name in BESIDE else ()),
                *("--output-file", str(pins)),
            )
            for platform in PLATFORMS:
                for python in FILES[name]:
                    print(f"{name:18} {platform:24} Python {python}: {wheels(pins, platform, python)} packages, each a wheel")
        for pins in beside.values():
            pins.replace(ROOT / pins.name)


def wheels(pins, platform, python):
    """The number of packages that the file `pins` resolves to on a system, of wheels alone."""
    with tempfile.NamedTemporaryFile(suffix=".txt") as out:
        run(
            *("--python-platform", platform, "--python-version", python),
            *("--only-binary", ":all:", str(pins), "--output-file", out.name),
        )
        return Path(out.name).read_text().count("==")


def run(*arguments):
    result = subprocess.run([*COMPILE, *arguments], cwd=ROOT, capture_output=True, text=True, close_fds=False)
    if result.returncode:
        sys.exit(f"{' '.join(arguments)}\n{result.stderr}")


if __name__ == "__main__":
    with mutex.held("`make lock`"):
        main()
