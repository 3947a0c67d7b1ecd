"""The built book in a real browser: `make test-browser` builds it and runs what is in this folder."""

import chromium
import notebooks
import pytest
import serve


@pytest.fixture(scope="session")
def site():
    """The address of the built book, served from this machine."""
    with serve.served(notebooks.HTML) as address:
        yield address


@pytest.fixture(scope="session")
def browser():
    with chromium.started() as browser:
        yield browser


@pytest.fixture
def page(browser):
    """A fresh page of 1280 by 900 pixels on the light theme."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    yield context.new_page()
    context.close()
