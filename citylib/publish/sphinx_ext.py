"""The book's Sphinx extension: everything a page needs comes with the book, and only where it is needed.

MathJax, Plotly and DataTables are copied as one file each from the installed packages. MathJax goes to pages with
formulas, Plotly and DataTables to pages with interactive figures and sortable tables. The download buttons offer
the notebook, its receipt and its results.
"""

from __future__ import annotations

import re
import shutil
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from citylib.errors import BuildError

__all__ = ["classic_script", "setup"]

MATHJAX = "vendor/tex-svg-full.js"
PLOTLY = "vendor/plotly.min.js"
TABLES = ("vendor/datatables.js", "vendor/datatables.css")
_OFFERED = (
    (".ipynb", ".ipynb", "Download the notebook", "fas fa-code"),
    ("receipt.json", "receipt", "Download the run's receipt", "fas fa-receipt"),
    ("results.json", "results", "Download the run's results", "fas fa-table"),
    ("_records.csv", ".csv", "Download all records as CSV", "fas fa-table"),
    ("_records.parquet", ".parquet", "Download all records as Parquet", "fas fa-table"),
)


def setup(app: Any) -> dict[str, Any]:
    """Connect to Sphinx.

    Parameters
    ----------
    app : sphinx.application.Sphinx
        The application.

    Returns
    -------
    dict
        Metadata for Sphinx.
    """
    app.connect("config-inited", _configure, priority=900)
    app.connect("html-page-context", _page, priority=900)
    app.connect("build-finished", _copy)
    return {"version": metadata.version("citylib"), "parallel_read_safe": True, "parallel_write_safe": True}


def classic_script(module: str, name: str) -> str:
    """Turn an ES module without imports into a classic script, which pages opened from disk may load.

    Parameters
    ----------
    module : str
        Source that ends in one ``export{a as b,...}``.
    name : str
        Global that holds the exports.

    Returns
    -------
    str
        The script.

    Raises
    ------
    BuildError
        The source has not exactly one export list.

    Examples
    --------
    >>> classic_script("let a=1;export{a as one};", "made")
    'window.made=(()=>{let a=1;return {"one":a};})();\\n'
    """
    found = re.findall(r"export *\{([^}]*)\};?", module)
    if len(found) != 1:
        raise BuildError(f"a script bundle must have one export list, got {len(found)}")
    pairs = [item.split(" as ") for item in found[0].split(",")]
    exports = ",".join(f'"{pair[-1].strip()}":{pair[0].strip()}' for pair in pairs)
    body = re.sub(r"export *\{[^}]*\};?", lambda _: f"return {{{exports}}};", module)
    return f"window.{name}=(()=>{{{body}}})();\n"


def _configure(app: Any, config: Any) -> None:
    config.html_static_path.append("assets")
    config.mathjax_path = MATHJAX
    config.numfig = False  # sphinx_jupyterbook_latex sets it; the figures of a notebook have no numbers
    for sheet in ("book.css", "outputs.css"):
        app.add_css_file(sheet, priority=900)
    app.add_js_file("book.js", loading_method="defer")


def _page(app: Any, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    body = context.get("body", "")
    pathto = context["pathto"]
    if "citylib-plotly" in body:
        app.add_js_file(PLOTLY, loading_method="defer", priority=400)
    if re.search(r'class="[^"]*\bsortable\b', body):
        app.add_js_file(TABLES[0], loading_method="defer", priority=400)
        app.add_css_file(TABLES[1], priority=400)
    offered = []
    for path, (documents, name) in app.env.dlfiles.items():
        if pagename in documents and f"files/{pagename.removeprefix('chapters/')}/" in path:
            offered.append((Path(path).name, f"{pathto('_downloads', 1)}/{name}"))
    context["header_buttons"] = _downloads(offered) + context.get("header_buttons", [])


def _downloads(offered: list[tuple[str, str]]) -> list[dict[str, Any]]:
    buttons: list[dict[str, Any]] = []
    for suffix, text, tooltip, icon in _OFFERED:
        for name, address in offered:
            if name.endswith(suffix):
                buttons.append({"type": "link", "url": address, "text": text, "tooltip": tooltip, "icon": icon})
    printing = {"type": "javascript", "javascript": "window.print()", "text": ".pdf", "icon": "fas fa-file-pdf"}
    buttons.append({**printing, "tooltip": "Print this page, or keep it as PDF"})
    for button in buttons:
        button["label"] = f"download-{button['text'].strip('.')}-button"
    group = {"type": "group", "tooltip": "Download this page", "icon": "fas fa-download", "buttons": buttons}
    return [{**group, "label": "download-buttons"}]


def _copy(app: Any, exception: Exception | None) -> None:
    if exception is not None or app.builder.format != "html":
        return
    vendor = Path(app.outdir) / "_static" / "vendor"
    vendor.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_packaged("sphinx-mathjax-offline", "static/mathjax/tex-svg-full.js"), vendor / "tex-svg-full.js")
    shutil.copyfile(_packaged("plotly", "package_data/plotly.min.js"), vendor / "plotly.min.js")
    bundle = _packaged("itables", "html/dt_bundle.js").read_text(encoding="utf-8")
    (vendor / "datatables.js").write_text(classic_script(bundle, "citylibTables"), encoding="utf-8")
    shutil.copyfile(_packaged("itables", "html/dt_bundle.css"), vendor / "datatables.css")


def _packaged(package: str, name: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise BuildError(f"package {package!r} is not installed; run `make setup`")
    path = Path(spec.submodule_search_locations[0]) / name
    if not path.is_file():
        raise BuildError(f"package {package!r} {metadata.version(package)} has no {name}; install the locked version")
    return path
