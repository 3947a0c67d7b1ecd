"""A Sphinx extension: formulas become MathML while the book is built, so that a page needs no script to show them."""

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.util.docutils import SphinxTranslator


def mathml(node, **options):
    # The converter takes this sign for a name, and would set it without space.
    return convert(node.astext(), **options).replace("<mi>&#x000B1;</mi>", "<mo>&#x000B1;</mo>")


def inline(translator: SphinxTranslator, node):
    translator.body.append(mathml(node))
    raise nodes.SkipNode


def block(translator: SphinxTranslator, node):
    # A formula that is wider than a phone scrolls by itself, by keyboard as well.
    formula = mathml(node, display="block")
    translator.body.append(f'<div class="formula" role="group" aria-label="formula" tabindex="0">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
