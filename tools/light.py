"""A Sphinx extension: pages that load fast. Of the theme's icons, 700 kB of script and fonts, only those shown travel."""

import re
from pathlib import Path

from fontTools import subset
from PIL import Image

FONT = "vendor/fontawesome/webfonts/fa-solid-900"
ICON_SCRIPT = re.compile(r'<script defer src="[^"]*scripts/fontawesome\.js[^"]*"></script>')
PICTURE = re.compile(r'<img (?=[^>]*src="[./]*(_images/[^"]+\.png)")')


def finish(app, error):
    if error or app.builder.name != "html":
        return
    out = Path(app.outdir)
    icons = set()
    for page in out.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        icons |= set(re.findall(r"\bfa-[a-z0-9-]+", text))
        text = ICON_SCRIPT.sub("", text)  # the style sheet draws the same icons from the font
        page.write_text(PICTURE.sub(lambda found: sized(found[0], out / found[1]), text), encoding="utf-8")
    css = "".join(path.read_text(encoding="utf-8") for path in (out / "_static" / "styles").glob("*.css"))
    cut(out / "_static" / FONT, codes(css, icons))


def sized(tag, picture):
    """The tag with the picture's size, so that nothing jumps when it arrives; far down the page it waits."""
    with Image.open(picture) as image:
        return f'{tag}width="{image.width}" height="{image.height}" loading="lazy" '


def codes(css, icons):
    """The code points of the icons of these class names, and of those that the style sheets show themselves."""
    found = {ord(icon) for icon in re.findall(r'--pst-icon-[a-z-]+:"(.)"', css)}
    for rule, code in re.findall(r'([^{}]+)\{content:"\\([0-9a-f]+)"', css):
        named = set(re.findall(r"\.(fa-[a-z0-9-]+)", rule))
        if named & icons or not named:
            found.add(int(code, 16))
    return found


def cut(font, kept):
    """Write the web font anew with the characters `kept` alone."""
    options = subset.Options(flavor="woff2")
    whole = subset.load_font(f"{font}.ttf", options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=kept)
    subsetter.subset(whole)
    subset.save_font(whole, f"{font}.woff2", options)


def setup(app):
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
