"""Check the pins against a list of known faults, where one can be reached: `make audit`."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LISTS = ["pypi", "osv"]  # pip-audit knows where they are
# Pyodide chooses these versions, so that nothing here can mend them: shown, but no reason to fail.
GIVEN = {"requirements-lite.txt"}


def looked_up(path, name):
    """What that list says of each pin in the file at `path` that this system would install."""
    command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", name, "--requirement", path]
    options = ["--require-hashes", "--disable-pip", "--progress-spinner=off", "--desc=off", "--format=json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    # Its exit code is 1 for a fault, and for a list that is not there as well.
    try:
        return json.loads(done.stdout)["dependencies"]
    except ValueError:
        return []


def known(pins):
    """Those of the pins that a list knows; pip-audit itself calls an audit in which all were skipped a good one."""
    return [pin for pin in pins if "vulns" in pin]


def audited(path):
    """How many pins could not be checked, and how many faults are known of the others; says both."""
    name, pins = next(((name, pins) for name in LISTS if known(pins := looked_up(path, name))), (None, []))
    if not pins:
        print(f"{path.name}: not checked, no list of known faults can be reached (tried {' and '.join(LISTS)})")
        return 1, 0
    faults = [(pin, fault) for pin in known(pins) for fault in pin["vulns"]]
    unknown = [pin["name"] for pin in pins if pin not in known(pins)]
    print(f"{path.name}: {len(known(pins))} pins checked against {name}, {len(faults)} known faults")
    for pin, fault in faults:
        mended = f", mended in {', '.join(fault['fix_versions'])}" if fault["fix_versions"] else ""
        print(f"  {pin['name']} {pin['version']}: {fault['id']}{mended}")
    if unknown:
        print(f"  not checked, since {name} does not have them: {', '.join(unknown)}")
    return len(unknown), len(faults)


def main():
    found = {path.name: audited(path) for path in sorted(ROOT.glob("requirements*.txt"))}
    # What was not checked must not look like what was found good.
    return any(unknown or faults and name not in GIVEN for name, (unknown, faults) in found.items())


if __name__ == "__main__":
    sys.exit(main())
