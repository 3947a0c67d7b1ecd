"""The results of a benchmark, with the machine and the day they were measured on, where the chapters read them."""

import contextlib
import datetime
import os
import platform
from pathlib import Path

import numpy as np
import pandas as pd

from mixup_helpers import evidence

BOOK = Path(__file__).resolve().parent.parent / "book"


def write(name, rows):
    """Keep `rows`, a list of dicts, in ``book/results/<name>.csv``."""
    table = pd.DataFrame(rows).round(4)
    table["machine"] = f"{os.cpu_count()} processors, {platform.machine()}, NumPy {np.__version__}"
    table["date"] = datetime.date.today().isoformat()
    with contextlib.chdir(BOOK):
        evidence.save(table, name)
