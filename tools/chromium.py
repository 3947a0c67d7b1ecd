"""Headless Chromium, from the system's packages: for `make test-browser` and `make pdf`."""

import contextlib
import shutil
import sys

from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
ARGUMENTS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


def path():
    """Where it is; without one the program ends."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        sys.exit("no Chromium found. On Debian: apt install chromium")
    return found


@contextlib.contextmanager
def started():
    """A running browser, of playwright's kind."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path(), args=ARGUMENTS)
        yield browser
        browser.close()


if __name__ == "__main__":
    print(path())
