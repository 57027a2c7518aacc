"""A notebook's cells and outputs as HTML that keeps the figures' words; for pages and slides."""

from __future__ import annotations

import base64
import html
import importlib.resources
import os
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

ASSETS = importlib.resources.files(__package__) / "assets"

LAB_PAGE = """\
{%- extends 'lab/index.html.j2' -%}
{% block data_png scoped %}
<div class="jp-RenderedImage jp-OutputArea-output">
<img src="data:image/png;base64,{{ output.data['image/png'] }}"
     alt="{{ output | get_metadata('alt', 'image/png') | escape_html }}">
</div>
{% endblock data_png %}
"""
# A link's target in Markdown, in its three spellings; code is matched first, and so passed over.
CODE_OR_TARGET = re.compile(
    r"^(?P<fence>```+|~~~+).*?^(?P=fence)`*\s*?$|(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)"
    r"|(?<=\]\()(?P<inline><[^>\n]+>|[^)\s]+)"
    r"|(?P<define>^ {0,3}\[[^\]\n]+\]:\s+)(?P<defined>\S+)"
    r"|(?P<attribute>\b(?:href|src)=\")(?P<quoted>[^\"]+)",
    re.DOTALL | re.MULTILINE,
)


def with_links(markdown: str, change: Callable[[str], str]) -> str:
    """Return Markdown with every link's target changed, code left as it is."""

    def replace(found: re.Match[str]) -> str:
        if found["inline"]:
            return change(found["inline"].strip("<>"))
        if found["define"]:
            return found["define"] + change(found["defined"])
        if found["attribute"]:
            return found["attribute"] + change(found["quoted"])
        return found[0]

    return CODE_OR_TARGET.sub(replace, markdown)


def split_target(target: str, page: Path) -> tuple[Path | None, str]:
    """Return the file that a relative link on a page means, and ``"#anchor"`` or nothing.

    The file is None where the link leads out of the course or to a place on the same page.
    """
    if re.match(r"[a-z][a-z0-9+.-]*:", target, re.IGNORECASE) or target.startswith("#"):
        return None, ""
    name, mark, anchor = target.partition("#")
    return Path(os.path.normpath(page.parent / name)), mark + anchor


def is_picture(file: Path) -> bool:
    """Whether a link's target is a picture, which belongs on the page itself."""
    return file.suffix.lower() in (".gif", ".jpeg", ".jpg", ".png", ".svg", ".webp")


def language(source: str) -> str:
    """Return the name of the Pygments lexer for a code cell: IPython's where there is magic."""
    return "ipython3" if re.search(r"^\s*[%!]", source, re.MULTILINE) else "python"


def output_html(output: NotebookNode, picture: Callable[[bytes, str], str]) -> str:
    """Return one output of a cell as HTML.

    Args:
        output: The output, as nbformat has it.
        picture: Stores a PNG, given its alternative text, and returns the ``<img>`` for it.
    """
    if output.output_type == "stream":
        return _text(output.text)
    if output.output_type == "error":
        return _text(f"{output.ename}: {output.evalue}")
    data = output.get("data", {})
    if "text/html" in data:
        if "<table" not in data["text/html"]:
            return f'<div class="output">{data["text/html"]}</div>'
        # Tables may be wider than a phone: they scroll by themselves, also by keyboard.
        return (
            '<div class="output scrolls" role="region" aria-label="Table" tabindex="0">'
            f"{data['text/html']}</div>"
        )
    if "image/png" in data:
        alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
        return f'<div class="output">{picture(base64.b64decode(data["image/png"]), alt)}</div>'
    return _text(data.get("text/plain", ""))


def _text(text: str) -> str:
    return f'<pre class="output" tabindex="0">{html.escape(text.rstrip())}</pre>' if text else ""


def picture_html(source: str, png: bytes, alt: str) -> str:
    """Return the ``<img>`` of a picture, with its size, so that nothing jumps while it loads."""
    width, height = (int.from_bytes(png[start : start + 4], "big") for start in (16, 20))
    return (
        f'<img src="{html.escape(source)}" alt="{html.escape(alt)}" '
        f'width="{width}" height="{height}">'
    )


def lab_page(notebook: Path) -> str:
    """Convert a lesson to one HTML page that looks as in JupyterLab, alternative text included."""
    from jinja2 import DictLoader
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        extra_loaders=[DictLoader({"course.html.j2": LAB_PAGE})], template_file="course.html.j2"
    )
    content = nbformat.read(notebook, as_version=4)
    return exporter.from_notebook_node(content, {"metadata": {"name": notebook.stem}})[0]
