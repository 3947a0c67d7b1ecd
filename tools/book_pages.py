"""A Sphinx extension: refuse notebooks with faults, and mend what Jupyter Book 1 and its theme write amiss."""

from sphinx.errors import ExtensionError

import notebooks


def refuse_faults(app):
    for path in notebooks.on_disk():
        for fault in notebooks.faults(path):
            raise ExtensionError(f"{path.name}: {fault}")


def options(app, config):
    theme = config.html_theme_options
    # Theme 1.3 shows a second search button in a header bar.
    theme.setdefault("navbar_persistent", [])
    # Without the repository's address every launch button would be a dead link.
    known = bool(theme.get("repository_url"))
    theme.update(use_repository_button=known, use_issues_button=known)
    if not known:
        theme["launch_buttons"] = {}
    config.html_context.setdefault("default_mode", "auto")  # unset, every first visit logs an error


def scripts(app, pagename, templatename, context, doctree):
    # sphinx-thebe writes its script for a button that this book does not have, and writes it twice.
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "THEBE_JS_URL" not in (getattr(script, "attributes", {}).get("body") or "")
    ]


def setup(app):
    app.connect("builder-inited", refuse_faults)
    app.connect("config-inited", options)
    app.connect("html-page-context", scripts, priority=999)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
