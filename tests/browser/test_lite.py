"""A chapter's button opens the chapter in JupyterLite. Pyodide, which the kernel is made of, is out of reach here."""

import lite
import notebooks
import pytest
import serve

PYODIDE = "https://cdn.jsdelivr.net/pyodide/"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The address of the built book in a folder of a server, as GitHub Pages has it."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "mixup-book").symlink_to(notebooks.HTML, target_is_directory=True)
    with serve.served(folder) as address:
        yield f"{address}/mixup-book"


def test_the_buttons_and_the_site_agree():
    assert lite.chapters() and list(lite.faults(notebooks.HTML, lite.chapters())) == []


@pytest.mark.parametrize("name", [path.stem for path in lite.chapters()])
def test_a_button_opens_its_chapter(page, book, name):
    outside, errors = [], []

    def refuse(route):
        outside.append(route.request.url)
        route.abort()

    page.context.route(lambda url: not url.startswith(book), refuse)
    page.context.on("console", lambda message: message.type == "error" and errors.append(message.text))
    page.context.on("weberror", lambda error: errors.append(str(error.error)))

    page.goto(f"{book}/book/{name}.html")
    title = page.locator("h1").first.evaluate("h1 => h1.firstChild.textContent")
    assert outside == [], "the page itself asks for nothing outside"
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Run in the browser").click()
    app = opened.value

    app.get_by_role("heading", level=1, name=title).wait_for(timeout=60_000)
    files = app.locator(".jp-DirListing-itemText")
    files.first.wait_for()
    assert set(files.all_inner_texts()) == {"mixup_helpers", "results", *(path.name for path in lite.chapters())}
    for _ in range(100):  # the kernel starts a little later
        if outside:
            break
        app.wait_for_timeout(100)
    app.wait_for_timeout(500)
    assert outside and all(url.startswith(PYODIDE) for url in outside)
    assert all("pyodide" in error or "ERR_FAILED" in error for error in errors), errors
