"""Pages that load fast: of the theme's icons, 700 kB of script and fonts, only those that are shown travel."""

import re

from fontTools import subset
from PIL import Image

FONT = "vendor/fontawesome/webfonts/fa-solid-900"
ICON_SCRIPT = re.compile(r'<script defer src="[^"]*scripts/fontawesome\.js[^"]*"></script>')
PICTURE = re.compile(r'<img (?=[^>]*src="[./]*(_images/[^"]+\.png)")')


def lighten(page, out):
    """The page without the icon script, since the style sheet draws the same icons from the font; pictures sized."""
    return PICTURE.sub(lambda found: sized(found[0], out / found[1]), ICON_SCRIPT.sub("", page))


def sized(tag, picture):
    """The tag with the picture's size, so that nothing jumps when it arrives; far down the page it waits."""
    with Image.open(picture) as image:
        return f'{tag}width="{image.width}" height="{image.height}" loading="lazy" '


def cut_font(out, pages):
    """Write the icon font of the book at `out` anew, with the icons alone that these pages and the styles show."""
    css = "".join(path.read_text(encoding="utf-8") for path in (out / "_static" / "styles").glob("*.css"))
    icons = {icon for page in pages for icon in re.findall(r"\bfa-[a-z0-9-]+", page)}
    options = subset.Options(flavor="woff2")
    font = subset.load_font(out / "_static" / f"{FONT}.ttf", options)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=codes(css, icons))
    subsetter.subset(font)
    subset.save_font(font, out / "_static" / f"{FONT}.woff2", options)


def codes(css, icons):
    """The code points of the icons of these class names, and of those that the style sheets show themselves."""
    found = {ord(icon) for icon in re.findall(r'--pst-icon-[a-z-]+:"(.)"', css)}
    for rule, code in re.findall(r'([^{}]+)\{content:"\\([0-9a-f]+)"', css):
        named = set(re.findall(r"\.(fa-[a-z0-9-]+)", rule))
        if named & icons or not named:
            found.add(int(code, 16))
    return found
