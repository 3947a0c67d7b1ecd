"""A Sphinx extension: refuse notebooks with faults, describe each page, and mend what the theme writes amiss."""

import html
import re
import shutil
from pathlib import Path

import light
import notebooks
from docutils import nodes
from sphinx.errors import ExtensionError

ABOUT = "A book that explains MixUp, measures what it does to training, and tests what is claimed of it."


def refuse_faults(app):
    for path in notebooks.on_disk():
        for fault in notebooks.faults(path):
            raise ExtensionError(f"{path.name}: {fault}")


def options(app, config):
    theme = config.html_theme_options
    # Theme 1.3 shows a second search button in a header bar.
    theme.setdefault("navbar_persistent", [])
    # Without the repository's address every launch button would be a dead link.
    address = theme.get("repository_url")
    theme.update(use_repository_button=bool(address), use_issues_button=bool(address))
    if not address:
        theme["launch_buttons"] = {}
    config.html_baseurl = pages_address(address)
    config.html_context.setdefault("default_mode", "auto")  # unset, every first visit logs an error


def pages_address(repository):
    """Where GitHub Pages serves the book of this repository; nothing, if it is not on GitHub."""
    found = re.fullmatch(r"https://github\.com/([^/]+)/([^/]+?)(?:\.git)?/?", repository or "")
    return f"https://{found[1]}.github.io/{found[2]}/" if found else ""


def mark_tables(app, doctree):
    """Tell printed tables from sentences, between empty lines, by gaps and indents.

    On a phone, sentences are wrapped, and tables are set smaller and scroll. A printed script is code.
    """
    for node in list(doctree.findall(nodes.literal_block)):
        if node.get("language") == "myst-ansi":
            if re.search(r"(?m)^import ", node.astext()):
                node["language"] = "python"
                continue
            parts = []
            for text in node.astext().split("\n\n"):
                part = node.copy()
                part.rawsource = text
                part += nodes.Text(text)
                if len(re.findall(r"(?m)^.*\S {2,}\S|^ {4,}\S", text)) > 2:
                    width = max(map(len, text.splitlines()))
                    part["classes"] += ["printed-table"] + ["wide"] * (width > 45) + ["wider"] * (width > 54)
                parts.append(part)
            node.replace_self(parts)


def keep_together(app, doctree):
    """Mark the code in a sentence that is short enough to stand in one line."""
    for node in doctree.findall(nodes.literal):
        node["classes"] += ["short"] * (len(node.astext()) <= 30)


def drop_keys(app, doctree, docname):
    """The text cites authors and years, and so the list is looked up by authors; its keys would be other names."""
    for label in list(doctree.findall(nodes.label)):
        if isinstance(label.parent, nodes.citation):
            label.parent.remove(label)


def scripts(app, pagename, templatename, context, doctree):
    # sphinx-thebe writes its script for a button that this book does not have, and writes it twice.
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "THEBE_JS_URL" not in (getattr(script, "attributes", {}).get("body") or "")
        and "thebe" not in str(getattr(script, "filename", ""))
    ]


def describe(app, pagename, templatename, context, doctree):
    """For search engines and for the previews of links: the page's question, and its first picture."""
    doctree = doctree or nodes.paragraph()  # the search, the index and the page for lost readers have no text
    texts = (node.astext() for node in doctree.findall(nodes.paragraph))
    about = " ".join(next((text for text in texts if len(text) > 30), ABOUT).split())
    drawn = next(doctree.findall(nodes.image), None)
    picture = f"_images/{Path(drawn['uri']).name}" if drawn else "_static/chapter.png"
    # A preview must give whole addresses, which are known where the book is published.
    base = app.config.html_baseurl or context["pathto"]("", resource=True).rstrip("/") + "/"
    values = {
        "name": {"description": about},
        "property": {
            "og:title": context.get("title", app.config.project),
            "og:description": about,
            "og:type": "article",
            "og:image": base + picture,
        },
    }
    if app.config.html_baseurl:
        values["property"]["og:url"] = f"{base}{pagename}.html"
    context["metatags"] = context.get("metatags", "") + "".join(
        f'<meta {key}="{name}" content="{html.escape(re.sub("<[^>]*>", "", value))}" />\n'
        for key, named in values.items()
        for name, value in named.items()
    )


def not_found(app):
    """A page for addresses that lead nowhere: every link on it holds wherever it is shown."""
    base = "/" + app.config.html_baseurl.split("/", 3)[-1] if app.config.html_baseurl else "/"
    titles = {page: app.env.titles[page].astext() for page in notebooks.in_toc() if page in app.env.titles}
    yield "404", {"base": base, "titles": titles}, "404.html"


# What screen readers stumble over: a side bar that is no landmark, a list without items, a role that is no more,
# and names that hide the words on a button from those who say them to press it.
MENDED = {
    '<div id="pst-primary-sidebar"': '<div id="pst-primary-sidebar" role="complementary" aria-label="Book"',
    'role="doc-biblioentry"': 'role="listitem"',
    '<summary aria-label="Toggle hidden content">': "<summary>",
    'title="Search" aria-label="Search"': 'title="Search"',
}


def finish(app, error):
    if error or app.builder.name != "html":
        return
    out = Path(app.outdir)
    # Here and not in _static, whose scripts Jupyter Book adds to every page.
    for script in (notebooks.BOOK / "_scripts").glob("*.js"):
        shutil.copy(script, out / "_static")
    pages = {path: path.read_text(encoding="utf-8") for path in out.rglob("*.html")}
    for path, page in pages.items():
        for wrong, right in MENDED.items():
            page = page.replace(wrong, right)
        path.write_text(light.lighten(page, out), encoding="utf-8")
    light.cut_font(out, pages.values())


def setup(app):
    app.connect("builder-inited", refuse_faults)
    app.connect("config-inited", options)
    app.connect("doctree-read", mark_tables)
    app.connect("doctree-read", keep_together)
    app.connect("doctree-resolved", drop_keys)
    app.connect("html-page-context", scripts, priority=999)
    app.connect("html-page-context", describe)
    app.connect("html-collect-pages", not_found)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
