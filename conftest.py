"""Every notebook that the tests execute compares its results with the stored ones, and writes none.

Neither tests nor notebooks reach another machine: what they try is an error.
"""

import contextlib
import os
import runpy

import notebooks
import pytest

os.environ["MIXUP_BOOK_CHECK"] = "1"

OFFLINE = str(notebooks.ROOT / "tests" / "offline")
if OFFLINE not in os.environ.get("PYTHONPATH", "").split(os.pathsep):  # pytest's workers have it from their parent
    runpy.run_path(os.path.join(OFFLINE, "sitecustomize.py"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [OFFLINE, os.environ.get("PYTHONPATH")]))

# gRPC would ask a proxy for this machine, too.
for name in ("http_proxy", "https_proxy", "grpc_proxy"):
    os.environ.pop(name, None)
    os.environ.pop(name.upper(), None)


# What is stored of these is still guarded; a new run needs what `make torch` installs.
collect_ignore = [str(path) for path in notebooks.on_disk() if not notebooks.can_run(path)]
collect_ignore.append(str(notebooks.BOOK / "_scripts"))  # programs, not modules
collect_ignore.append(OFFLINE)


def pytest_configure(config):
    """Try a kernel again. Its ports are chosen before it takes them; if somebody else is faster, it dies."""
    if not config.pluginmanager.hasplugin("nbval"):
        return  # where the helpers alone are tried
    import nbval.kernel

    start = nbval.kernel.start_new_kernel

    def start_patiently(**how):
        for _ in range(2):
            with contextlib.suppress(RuntimeError):
                return start(**how)
        return start(**how)

    nbval.kernel.start_new_kernel = start_patiently


@pytest.fixture
def tf():
    """TensorFlow. Where only NumPy's part is tried (`tools/versions.py --quick`) what needs it is skipped."""
    return pytest.importorskip("tensorflow")
