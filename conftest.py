"""Every notebook that the tests execute compares its results with the stored ones, and writes none.

Neither tests nor notebooks reach another machine: what they try is an error.
"""

import os
import runpy

import notebooks
import pytest

os.environ["MIXUP_BOOK_CHECK"] = "1"

OFFLINE = str(notebooks.ROOT / "tests" / "offline")
if OFFLINE not in os.environ.get("PYTHONPATH", "").split(os.pathsep):  # pytest's workers have it from their parent
    runpy.run_path(os.path.join(OFFLINE, "sitecustomize.py"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [OFFLINE, os.environ.get("PYTHONPATH")]))

# What is stored of these is still guarded; a new run needs what `make torch` installs.
collect_ignore = [str(path) for path in notebooks.on_disk() if not notebooks.can_run(path)]
collect_ignore.append(str(notebooks.BOOK / "_scripts"))  # programs, not modules
collect_ignore.append(OFFLINE)


@pytest.fixture
def tf():
    """TensorFlow. Where only NumPy's part is tried (`tools/versions.py --quick`) what needs it is skipped."""
    return pytest.importorskip("tensorflow")
