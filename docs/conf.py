"""How `make docs` builds the site: Sphinx over these pages, offline.

Rules:
- A warning is an error (`-W`): a link that leads nowhere ends the build.
- A page built loads nothing from anywhere: fonts are the reader's own, and there is no script of others.
"""

from importlib.metadata import version as version_of

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx

project = "Seatrial"
author = "The Seatrial authors"
project_copyright = "The Seatrial authors"
version = release = version_of("seatrial")

extensions = ["myst_parser"]
root_doc = "index"
exclude_patterns = ["_build"]
myst_heading_anchors = 4

html_theme = "furo"
html_title = "Seatrial"
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "light_css_variables": {
        "font-stack": "system-ui, sans-serif",
        "font-stack--monospace": "ui-monospace, monospace",
    },
}


def setup(app: Sphinx) -> None:
    """Show Mermaid's text as it is: under each diagram stands the same table in words, and no script is needed."""
    app.add_lexer("mermaid", TextLexer)
