"""The built book in a real browser: `make test-browser` builds it and runs what is in this folder."""

import functools
import gzip
import http.server
import os
import threading

import chromium
import notebooks
import pytest

HTML = notebooks.ROOT / "_build" / "html"


class Compressed(http.server.SimpleHTTPRequestHandler):
    """Serve text with gzip, as GitHub Pages does."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        path = self.translate_path(self.path)
        if os.path.isdir(path):
            path = os.path.join(path, "index.html")
        found = os.path.isfile(path)
        with open(path if found else HTML / "404.html", "rb") as file:
            body = file.read()
        kind = self.guess_type(path)
        self.send_response(200 if found else 404)
        if "image/png" not in kind:
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", kind if found else "text/html")
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture(scope="session")
def site():
    """The address of the built book, served from this machine."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Compressed, directory=HTML))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


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
