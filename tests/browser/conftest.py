"""The built book in a real browser: `make test-browser` builds it and runs what is in this folder."""

import chromium
import notebooks
import pytest
import serve
from axe_playwright_python.sync_playwright import Axe

# axe at a fraction of its time. It parses the same few colours over and over, and keeps their parts in WeakMaps,
# which cost the garbage collector much: here they are properties, and parsed once. And it reads the colours of each
# word of a program: here those of each look that words have in it.
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
    const looks = new Map();
    contrast.matches = function (node, ...rest) {
        const program = node.closest("pre");
        if (program && node !== program) {
            // A single letter can't stand for a word: axe takes it for a picture, whose colour says nothing.
            let look = getComputedStyle(node).color + (node.textContent.length > 1);
            for (let e = node; e !== program; e = e.parentNode) look += " in " + e.tagName + e.className + e.style.cssText;
            if (!looks.has(program)) looks.set(program, new Set());
            if (looks.get(program).has(look)) return false;
            looks.get(program).add(look);
        }
        return applies.call(this, node, ...rest);
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
