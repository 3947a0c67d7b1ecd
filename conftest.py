"""Every notebook that the tests execute compares its results with the stored ones, and writes none."""

import os

import notebooks
import pytest

os.environ["MIXUP_BOOK_CHECK"] = "1"

# What is stored of these is still guarded; a new run needs what `make torch` installs.
collect_ignore = [str(path) for path in notebooks.on_disk() if not notebooks.can_run(path)]
collect_ignore.append(str(notebooks.BOOK / "_scripts"))  # programs, not modules


@pytest.fixture
def tf():
    """TensorFlow. Where only NumPy's part is tried (`tools/versions.py --quick`) what needs it is skipped."""
    return pytest.importorskip("tensorflow")
