"""The built book in a real browser: `make test-browser` builds it and runs what is in this folder."""

import chromium
import notebooks
import pytest
import serve
from axe_playwright_python.sync_playwright import Axe

# axe at a fraction of its time. It parses the same few colours over and over, and keeps their parts in WeakMaps,
# which cost the garbage collector much: here they are properties, and parsed once. And it measures the contrast of
# every word: here once for all words of one look, which is their colour, their font, and what is painted behind them.
AXE = """((WeakMap, WeakSet) => {
    %s;
    const colour = axe.commons.color.Color.prototype, parse = colour.parseString, known = new Map();
    colour.parseString = function (text) {
        if (!known.has(text)) {
            const { r, g, b, alpha } = parse.call(this, text);
            known.set(text, { r, g, b, alpha });
        }
        return Object.assign(this, known.get(text));
    };
    const contrast = axe._audit.rules.find((rule) => rule.id === "color-contrast"), applies = contrast.matches;
    const grounds = new Map(), looks = new Set();
    const ground = (e) => {
        if (!grounds.has(e)) {
            const { backgroundColor, backgroundImage, opacity, filter } = getComputedStyle(e);
            const own = [backgroundColor, backgroundImage, opacity, filter].join();
            const behind = e.parentElement ? ground(e.parentElement) : "";
            grounds.set(e, own === "rgba(0, 0, 0, 0),none,1,none" ? behind : behind + own);
        }
        return grounds.get(e);
    };
    contrast.matches = function (node, ...rest) {
        const { color, fontSize, fontWeight, textShadow } = getComputedStyle(node);
        // axe takes a single letter for a picture, whose colour says nothing: it can't stand for words.
        const look = [ground(node), color, fontSize, fontWeight, textShadow, node.textContent.length > 1].join();
        if (looks.has(look)) return false;
        const does = applies.call(this, node, ...rest);
        if (does) looks.add(look);
        return does;
    };
})(...Array(2).fill(class {
    #key = Symbol();
    has = (object) => Object.hasOwn(object, this.#key);
    get = (object) => object[this.#key];
    set = (object, value) => { object[this.#key] = value; };
    add = (object) => this.set(object, true);
}))"""


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


@pytest.fixture(scope="session")
def axe():
    return Axe(AXE % Axe().axe_script)
