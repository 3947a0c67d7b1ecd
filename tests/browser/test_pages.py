"""Every page, as readers with a phone, a keyboard, a screen reader or a slow line get it."""

import contextlib
import functools
import re
from collections import Counter
from urllib.parse import urlsplit

import notebooks
import pytest
from axe_playwright_python.sync_playwright import Axe

PAGES = [f"{page}.html" for page in notebooks.in_toc()]
OTHERS = ["search.html", "genindex.html", "404.html"]
FORMULAS = "book/intuition.html"
LOOKS = [(width, theme) for width in (1280, 390) for theme in ("light", "dark")]
# For axe: what passes in no detail, no loading of its own, and a rule that newer versions have among the others.
ASKED = {
    "resultTypes": ["violations"],
    "preload": False,
    "rules": {"label-content-name-mismatch": {"enabled": True}},
}


@contextlib.contextmanager
def look(browser, width, theme):
    """A new reader's page of this width on this theme."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    yield context.new_page()
    context.close()


@pytest.fixture(scope="session")
def cache(browser):
    """A browser that keeps what it has fetched, for tests that ask no more than what a page says."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def further_page(cache):
    page = cache.new_page()
    yield page
    page.close()


@pytest.fixture(scope="session")
def without_scripts(browser):
    """A page for what must stand in the pages themselves, as for those who gather links."""
    context = browser.new_context(java_script_enabled=False)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("path", PAGES + OTHERS)
def test_the_page_is_whole_for_everyone(further_page, site, axe, path):
    page, said, found = further_page, [], []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else 0)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url) if leaves(request.url, site) else 0)
    for width, theme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)
        page.goto(f"{site}/{path}")
        # As buttons change to the dark. What depends on scrolling never ends.
        page.evaluate("""Promise.all(document.getAnimations().filter(it => it.timeline === document.timeline)
            .map(it => it.finished))""")
        violations = axe.run(page, options=ASKED).response["violations"]
        said += [f"{fault['id']} at {fault['nodes'][0]['target']}" for fault in violations]
        page.wait_for_load_state("networkidle")  # which comes half a second after the last request, as a rule under axe
        if page.evaluate("document.documentElement.scrollWidth") > width:
            said.append("scrolls sideways")
        if page.evaluate("document.documentElement.dataset.theme || 'auto'") not in (theme, "auto"):
            said.append("is on the wrong theme")
        found += [f"{width} {theme}: {fault}" for fault in said]
        said.clear()
    assert found == []


def test_axe_made_faster_reports_what_axe_does(page, axe):
    """The whole report but its clock, of text hard to read in every way of writing a colour."""
    colours = ["#999", "rgb(0 0 0 / 30%)", "hsl(0.5turn 50% 60%)", "oklch(70% 0.1 200)", "color-mix(in srgb, red, white)"]
    grounds = ["white", "#99999980", "lab(50% 40 59.5 / 20%)", "linear-gradient(red, blue)"]
    texts = [f"<p style='background: {ground}; color: {colour}'>Read" for colour in colours for ground in grounds]
    page.set_content("".join(texts) + "<p style='color: gray; text-shadow: 0 0 2px red; opacity: 0.6'>Me<img src=x>")
    faster, itself = (one.run(page).response | {"timestamp": None} for one in (axe, Axe()))
    assert faster == itself
    assert {"color-contrast", "image-alt"} <= {fault["id"] for fault in faster["violations"]}


def test_axe_made_faster_sees_every_look(page, axe):
    """Each number stands for a look, the second time for the same one; a letter stands for none."""
    page.set_content("""<style>
        body { color: #999 } b { font-weight: normal } i { color: #aaa } #ground b { background: #eee }
        td { background: white } tr:nth-child(even) td { background: #ddd }
        .veil { opacity: 0.9 } .large { font-size: 19px } .shade { text-shadow: 0 0 1px #ccc } .blur { filter: blur(1px) }
        </style><b>(</b> <b>11</b> <b>11</b> <i>22</i> <i>22</i> <p id=ground><b>33</b> <b>33</b>
        <table><tr><td><td>11<tr><td><td>44<tr><td><td>11<tr><td><td>44</table>
        <p class=veil>55<p class=veil>55<p class=large>66<p class=large>66<p class=shade>77<p class=shade>77
        <p class=blur>88<p class=blur>88""")
    faster, itself = (
        [re.search(r"\d\d", node["html"])[0] for fault in one.run(page).response["violations"]
         if fault["id"] == "color-contrast" for node in fault["nodes"]] for one in (axe, Axe())
    )  # fmt: skip
    assert faster == ["11", "22", "33", "11", "44", "55", "66", "77", "88"]  # 11 on white, too
    assert sorted(itself) == sorted(2 * faster)


def leaves(address, site):
    return urlsplit(address).scheme in ("http", "https", "ws", "wss") and not address.startswith(site)


@pytest.mark.parametrize("path", PAGES)
def test_the_page_says_what_it_is(without_scripts, site, path):
    page = without_scripts
    page.goto(f"{site}/{path}", wait_until="domcontentloaded")
    title, heading = page.title(), page.locator("h1").first.evaluate("e => e.firstChild.textContent")
    assert title in (f"{heading.strip()} — The MixUp book", heading.strip())

    def meta(key):
        return page.locator(f"meta[{key}]").get_attribute("content")

    assert 30 <= len(meta("name=description")) <= 300
    assert meta("property='og:title'") == heading.strip()
    picture = page.evaluate("address => new URL(address, document.baseURI).href", meta("property='og:image'"))
    icon = page.locator("link[rel='icon']").evaluate("e => e.href")
    for address in (picture, icon):
        answer = page.request.get(address)
        assert answer.ok and answer.headers["content-type"].startswith("image/")


@pytest.mark.parametrize("path", OTHERS)
def test_a_page_without_a_text_of_its_own_is_described(without_scripts, site, path):
    page = without_scripts
    page.goto(f"{site}/{path}", wait_until="domcontentloaded")
    assert len(page.locator("meta[name=description]").get_attribute("content")) >= 30


def test_formulas_need_no_script(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/{FORMULAS}")
    formulas = page.locator("math")
    assert formulas.count() >= 10
    boxes = [formula.bounding_box() for formula in formulas.all()]
    assert all(box["width"] > 3 and box["height"] > 3 for box in boxes)
    assert not re.search(r"\\[a-z(\[]|\$", " ".join(page.locator("main p").all_inner_texts()))
    context.close()


def transferred(context, address):
    """What the browser fetches to show the page from its top to its end: the bytes of each address."""
    page, addresses, bytes_of = context.new_page(), {}, {}
    network = context.new_cdp_session(page)
    network.send("Network.enable")
    network.on("Network.requestWillBeSent", lambda event: addresses.update({event["requestId"]: event["request"]["url"]}))
    network.on("Network.loadingFinished", lambda event: bytes_of.update({event["requestId"]: event["encodedDataLength"]}))
    page.goto(address)
    for image in page.locator("img[loading]").all():
        image.scroll_into_view_if_needed()
    page.wait_for_load_state("networkidle")
    page.close()
    found = Counter()
    for request, number in bytes_of.items():
        found[addresses[request]] += number
    return found


@pytest.fixture(scope="session")
def fetched(browser, site):
    """What a new reader's browser fetches for a page."""

    @functools.cache
    def fetch(path):
        context = browser.new_context()
        found = transferred(context, f"{site}/{path}")
        context.close()
        return found

    return fetch


def of_further(fetched, path, before):
    """What is left to fetch for the page where the one before has been read."""
    return {address: number for address, number in fetched(path).items() if address not in fetched(before)}


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_light(fetched, path):
    assert sum(fetched(path).values()) <= 450_000
    before = "book/references.html" if path != "book/references.html" else PAGES[0]
    assert sum(of_further(fetched, path, before).values()) <= 150_000


def test_a_browser_keeps_what_it_has_fetched(browser, site, fetched):
    context = browser.new_context()
    transferred(context, f"{site}/book/references.html")
    again = {address: number for address, number in transferred(context, f"{site}/{FORMULAS}").items() if number}
    context.close()
    computed = of_further(fetched, FORMULAS, "book/references.html")
    assert again.keys() == computed.keys() and len(again) > 1
    assert sum(again.values()) == pytest.approx(sum(computed.values()), rel=0.01)


@pytest.mark.parametrize(
    ("words", "path"),
    [
        ("mixup_data", "book/syntax.html"),
        ("lambda", "book/glossary.html"),
        ("calibration", "book/confidence.html"),
        ("label smoothing", "book/rivals.html"),
    ],
)
def test_search_finds_the_page(page, site, words, path):
    page.goto(f"{site}/search.html?q={words.replace(' ', '+')}")
    page.locator("#search-results li a").first.wait_for()
    page.wait_for_load_state("networkidle")
    hits = page.locator("#search-results li > a").evaluate_all("links => links.map(link => link.href.split(/[?#]/)[0])")
    assert f"{site}/{path}" in hits


@pytest.mark.parametrize("path", ["book/syntax.html", "book/intuition.html", "book/playground.html"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(browser, site, path, theme):
    with look(browser, 1280, theme) as page:
        page.goto(f"{site}/{path}")
        page.wait_for_load_state("networkidle")
        page.evaluate(TABS)
        reached, unseen = set(), []
        for _ in range(400):
            page.keyboard.press("Tab")
            number, marked = page.evaluate(FOCUS)
            if number is None or number in reached:
                break
            reached.add(number)
            if not marked:
                unseen.append(page.evaluate("document.activeElement.outerHTML.slice(0, 120)"))
        missed = page.evaluate(
            "reached => [...document.querySelectorAll('[data-stop]')]"
            ".filter(e => !reached.includes(e.dataset.stop)).map(e => e.outerHTML.slice(0, 120))",
            sorted(reached),
        )
    assert (missed, unseen) == ([], [])


# Number all that can be used: a radio button stands for its group, whose arrow keys move within it.
TABS = """() => {
  const usable = "a[href], button, input, select, textarea, summary, [tabindex]";
  let count = 0;
  for (const e of document.querySelectorAll(usable)) {
    const shown = e.checkVisibility({visibilityProperty: true}) && e.getClientRects().length;
    const other = e.type === "radio" && !e.checked;
    if (shown && !other && !e.disabled && e.tabIndex >= 0 && !e.closest("[inert]")) e.dataset.stop = "s" + count++;
  }
}"""
FOCUS = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return [null, true];
  const style = getComputedStyle(e);
  const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  return [e.dataset.stop || "?" + e.outerHTML.slice(0, 60), outlined || style.boxShadow !== "none"];
}"""


def test_an_unknown_address_gets_a_page_that_helps(page, site):
    answer = page.goto(f"{site}/book/no/such/page.html")
    assert answer.status == 404
    assert page.locator("h1").inner_text() == "Page not found"
    assert page.locator("li a").count() == len(PAGES)
    page.fill("input[type=search]", "alpha")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=alpha")


@pytest.mark.parametrize("page_name", [path.stem for path in notebooks.on_disk()])
def test_the_chapter_can_be_downloaded(without_scripts, site, page_name):
    page = without_scripts
    page.goto(f"{site}/book/{page_name}.html", wait_until="domcontentloaded")
    address = page.locator("a.btn-download-source-button").evaluate("e => e.href")
    assert page.request.get(address).text() == (notebooks.BOOK / f"{page_name}.ipynb").read_text(encoding="utf-8")


def test_pictures_have_a_white_ground_in_the_dark(browser, site):
    with look(browser, 1280, "dark") as page:
        page.goto(f"{site}/book/alpha.html")
        grounds = page.locator(".cell_output img").evaluate_all("all => all.map(e => getComputedStyle(e).backgroundColor)")
    assert grounds and set(grounds) == {"rgb(255, 255, 255)"}


SHOWN = "article pre:not(details *)"  # the rest is folded


def test_what_goes_on_beyond_the_edge_has_a_shadow_until_its_end(browser, site):
    with look(browser, 390, "light") as page:
        page.goto(f"{site}/book/devices.html")
        boxes = page.locator(SHOWN)
        goes_on = boxes.evaluate_all("all => all.map(e => e.scrollWidth > e.clientWidth)")
        assert {True, False} == set(goes_on)
        assert shadows(page) == goes_on
        boxes.evaluate_all("all => all.forEach(e => e.scrollLeft = e.scrollWidth)")
        assert not any(shadows(page))


def shadows(page):
    """Of each box, whether it has one, once it is drawn."""
    page.evaluate("new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    found = page.locator(SHOWN).evaluate_all("all => all.map(e => getComputedStyle(e).boxShadow)")
    return [" -14px 0px 10px -10px inset" in shadow for shadow in found]


def test_on_a_phone_sentences_wrap_and_code_does_not(browser, site):
    with look(browser, 390, "light") as page:
        page.goto(f"{site}/book/devices.html")
        for kind in ("python", "myst-ansi"):
            printed = page.locator(f".cell_output .highlight-{kind}:not(.printed-table) pre, .cell_output.highlight-{kind} pre")
            ways = printed.evaluate_all("all => all.map(e => getComputedStyle(e).whiteSpace)")
            assert set(ways) == {"pre" if kind == "python" else "pre-wrap"}
        lines = page.locator("p > code.short").evaluate_all("all => all.map(e => e.getClientRects().length)")
        assert set(lines) == {1}
