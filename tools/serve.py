"""Serve the built book on localhost and open it in the browser: `make serve`."""

import contextlib
import functools
import gzip
import http.server
import os
import threading
import webbrowser

import notebooks


class Pages(http.server.SimpleHTTPRequestHandler):
    """As GitHub Pages does it: with gzip, and with a page of the book for addresses that lead nowhere."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        path = self.translate_path(self.path)
        if os.path.isdir(path):
            if not path.endswith("/"):
                return super().do_GET()  # to the address with a slash, from which links on the page count
            path = os.path.join(path, "index.html")
        found = os.path.isfile(path)
        with open(path if found else notebooks.HTML / "404.html", "rb") as file:
            body = file.read()
        kind = self.guess_type(path) if found else "text/html"
        self.send_response(200 if found else 404)
        if kind != "image/png":
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", "max-age=600")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def server(folder, port=0):
    """A server of `folder`, at any free port unless told."""
    return http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Pages, directory=folder))


@contextlib.contextmanager
def served(folder):
    """The address of `folder`, while the block runs."""
    with server(folder) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def main():
    try:
        running = server(notebooks.HTML, 8000)
    except OSError:  # taken: any free port will do
        running = server(notebooks.HTML)
    address = f"http://127.0.0.1:{running.server_port}/"
    print(f"The book is at {address} (Ctrl-C ends it)", flush=True)
    webbrowser.open(address)
    try:
        running.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
