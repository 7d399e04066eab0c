"""The Sphinx extension: bundles made loadable, assets only where they are used, downloads in the head."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from citylib.errors import BuildError
from citylib.publish import sphinx_ext


@pytest.mark.parametrize("module", ["let a=1;", "let a=1;export{a};export{a as b};"])
def test_a_bundle_without_one_export_list_is_refused(module: str) -> None:
    with pytest.raises(BuildError, match="must have one export list"):
        sphinx_ext.classic_script(module, "made")


def test_exports_keep_their_names() -> None:
    made = sphinx_ext.classic_script("const q=1,w='$1';export{q as default,w}\n", "made")
    assert made == 'window.made=(()=>{const q=1,w=\'$1\';return {"default":q,"w":w};\n})();\n'


class App:
    """What the extension asks of Sphinx, remembered."""

    def __init__(self, outdir: Path | None = None, files: dict[str, Any] | None = None) -> None:
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.env = SimpleNamespace(dlfiles=files or {})
        self.outdir = outdir
        self.builder = SimpleNamespace(format="html")

    def add_js_file(self, name: str, **_: Any) -> None:
        """Remember a script."""
        self.scripts.append(name)

    def add_css_file(self, name: str, **_: Any) -> None:
        """Remember a style sheet."""
        self.styles.append(name)


def page(app: App, body: str, name: str = "chapters/a/01_x") -> dict[str, Any]:
    """Run the handler of one page; return its context."""
    context = {"body": body, "pathto": lambda target, _: f"../../{target}", "header_buttons": [{"label": "theme"}]}
    sphinx_ext._page(app, name, "page.html", context, None)
    return context


def test_scripts_go_to_pages_that_use_them() -> None:
    plain, table, plot = App(), App(), App()
    page(plain, "<table class='x'>")
    page(table, '<table class="table sortable">')
    page(plot, '<div class="citylib-plotly">')
    assert (plain.scripts, plain.styles) == ([], [])
    assert (table.scripts, table.styles) == (["vendor/datatables.js"], ["vendor/datatables.css"])
    assert plot.scripts == ["vendor/plotly.min.js"]


def test_the_download_button_offers_notebook_receipt_and_results() -> None:
    files = {
        f"/src/files/a/01_x/{name}": ({"chapters/a/01_x"}, f"0a/{name}")
        for name in ("01_x.ipynb", "receipt.json", "results.json")
    }
    files["/src/files/a/02_y/receipt.json"] = ({"guide/execution"}, "0b/receipt.json")
    group = page(App(files=files), "")["header_buttons"][0]
    assert [b["text"] for b in group["buttons"]] == [".ipynb", "receipt", "results", ".pdf"]
    assert group["buttons"][0]["url"] == "../../_downloads/0a/01_x.ipynb"
    alone = page(App(files=files), "", "guide/execution")["header_buttons"]
    assert [b["text"] for b in alone[0]["buttons"]] == [".pdf"]
    assert alone[1] == {"label": "theme"}


def test_the_installed_bundles_are_copied_as_one_file_each(tmp_path: Path) -> None:
    sphinx_ext._copy(App(tmp_path), None)
    vendor = tmp_path / "_static" / "vendor"
    assert {p.name for p in vendor.iterdir()} == {
        "tex-svg-full.js",
        "plotly.min.js",
        "datatables.js",
        "datatables.css",
    }
    tables = (vendor / "datatables.js").read_text(encoding="utf-8")
    assert tables.startswith("window.citylibTables=")
    assert '"jQuery":' in tables


def test_nothing_is_copied_after_a_build_that_failed(tmp_path: Path) -> None:
    sphinx_ext._copy(App(tmp_path), RuntimeError("no"))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("package", "file", "said"),
    [("no_such_package_", "x.js", "is not installed"), ("plotly", "no_such.js", "has no no_such.js")],
)
def test_what_is_not_installed_is_named(package: str, file: str, said: str) -> None:
    with pytest.raises(BuildError, match=said):
        sphinx_ext._packaged(package, file)
