"""What is kept of an executed notebook: the same bytes for the same run, tables apart."""

from __future__ import annotations

import json

import nbformat
import pandas as pd
import pyarrow.parquet as pq
import pytest

from citylib import results
from citylib.batch import harvest
from citylib.errors import InputError, LimitError

JOB = {"output_bytes": 2_000_000, "replace": {"/home/me/": "~/"}}
FIGURE = (
    '<figure><div class="only-light"><svg a="1">\nx</svg></div><div class="only-dark"><svg>y</svg></div>'
    "<figcaption>c</figcaption></figure>"
)


def shown(payload, html=""):
    data = {results.MIME: dict(payload), "text/plain": "plain"} | ({"text/html": html} if html else {})
    return nbformat.v4.new_output("display_data", data=data)


def notebook(*outputs):
    cells = [nbformat.v4.new_code_cell("1", id=f"cell-{i}", outputs=[out]) for i, out in enumerate(outputs)]
    return nbformat.v4.new_notebook(cells=cells)


def frame():
    return pd.DataFrame(
        {
            "i": [1, 2], "f": [0.5, None], "s": ["a", None], "b": [True, False],
            "t": pd.to_datetime(["2020-01-01", None]), "z": pd.to_datetime(["2020-01-01T00:00+01:00", None]),
        }
    )  # fmt: skip


def test_everything_handed_back_is_kept(tmp_path):
    made = notebook(
        shown(results.record("mae", 1.5, unit="°C", interval=(1, 2))),
        shown(results.table("by_station", frame(), caption="c")),
        shown(results.say("It is.")),
        shown(results.figure("trend", "", alt="ten characters"), FIGURE),
        shown(results.figure("map", "", alt="ten characters"), "<div>touch me</div>"),
        shown(results.loaded("s", [{"file": "a", "sha256": "0", "bytes": 1, "origin": "own"}], "read")),
    )
    harvest.lay_out(made, tmp_path, JOB, complete=True)
    kept = json.loads((tmp_path / "results.json").read_text())
    assert kept["records"] == [{"name": "mae", "value": 1.5, "unit": "°C", "interval": [1.0, 2.0], "level": 0.95}]
    assert kept["said"] == [{"text": "It is.", "when": True}]
    assert kept["data"][0]["files"][0]["file"] == "a"
    (table,) = kept["tables"]
    assert (table["name"], table["rows"], table["file"]) == ("by_station", 2, "tables/by_station.parquet")
    assert table["columns"][0] == {"name": "i", "dtype": "int"}
    assert [f["file"] for f in kept["figures"]] == ["figures/trend.svg", "figures/map.html"]
    assert (tmp_path / "figures" / "trend.svg").read_text() == '<svg a="1">\nx</svg>\n'
    assert (tmp_path / "figures" / "trend-dark.svg").read_text() == "<svg>y</svg>\n"


def test_a_table_is_read_back_with_its_types(tmp_path):
    harvest.lay_out(notebook(shown(results.table("t", frame()))), tmp_path, JOB, complete=True)
    back = pq.read_table(tmp_path / "tables" / "t.parquet")
    assert [str(f.type) for f in back.schema] == [
        "int64",
        "double",
        "string",
        "bool",
        "timestamp[us]",
        "timestamp[us, tz=UTC]",
    ]
    assert back.to_pydict()["f"] == [0.5, None]
    assert back["z"][0].as_py().isoformat() == "2019-12-31T23:00:00+00:00"


def test_a_table_without_rows_or_columns_is_kept(tmp_path):
    made = notebook(shown(results.table("no_rows", frame()[:0])), shown(results.table("none", pd.DataFrame())))
    harvest.lay_out(made, tmp_path, JOB, complete=True)
    assert pq.read_table(tmp_path / "tables" / "no_rows.parquet").num_columns == 6
    assert pq.read_table(tmp_path / "tables" / "none.parquet").num_columns == 0


def test_the_notebook_holds_a_reference_instead_of_the_rows(tmp_path):
    harvest.lay_out(notebook(shown(results.table("t", frame()))), tmp_path, JOB, complete=True)
    kept = nbformat.read(tmp_path / "notebook.ipynb", as_version=4)
    (payload,) = results.read(kept.cells[0].outputs)
    assert payload["file"] == "tables/t.parquet"
    assert payload["columns"][0] == {"name": "i", "dtype": "int"}


def test_what_differs_from_run_to_run_is_taken_out(tmp_path):
    made = notebook(
        nbformat.v4.new_output(
            "stream", name="stderr", text="/tmp/ipykernel_12/34.py:1: W\n/home/me/x.py <a at 0x7f00aa11>"
        ),
        nbformat.v4.new_output("error", ename="E", evalue="at 0x7f00aa11", traceback=["/tmp/ipykernel_12/34.py"]),
        nbformat.v4.new_output(
            "display_data",
            data={
                "text/plain": "0x7f00aa11",
                "application/vnd.jupyter.widget-view+json": {"model_id": "1"},
                "image/png": "",
            },
        ),
    )
    kernel = {"name": "python3", "display_name": "Python"}
    made.metadata.update(papermill={"duration": 1}, widgets={}, kernelspec=kernel)
    made.cells[0].metadata.update(papermill={}, execution={}, tags=[])
    made.cells[1].metadata.update(tags=["parameters"])
    harvest.lay_out(made, tmp_path, JOB, complete=True)
    kept = nbformat.read(tmp_path / "notebook.ipynb", as_version=4)
    assert set(kept.metadata) == {"kernelspec", "language_info"}
    assert [dict(c.metadata) for c in kept.cells] == [{}, {"tags": ["parameters"]}, {}]
    assert kept.cells[0].outputs[0].text == "<cell>:1: W\n~/x.py <a at 0x0>"
    assert (kept.cells[1].outputs[0].evalue, kept.cells[1].outputs[0].traceback) == ("at 0x0", ["<cell>"])
    assert kept.cells[2].outputs[0].data == {"text/plain": "0x0", "image/png": ""}


def test_a_name_handed_back_twice_is_refused(tmp_path):
    made = notebook(shown(results.record("mae", 1)), shown(results.record("mae", 2)))
    with pytest.raises(InputError, match=r"record 'mae' must be handed back once .*'cell-0'.*'cell-1'"):
        harvest.lay_out(made, tmp_path, JOB, complete=True)


def test_a_record_and_a_table_may_share_a_name(tmp_path):
    made = notebook(shown(results.record("mae", 1)), shown(results.table("mae", frame())))
    harvest.lay_out(made, tmp_path, JOB, complete=True)


def test_a_number_too_large_for_a_table_is_refused(tmp_path):
    made = notebook(shown(results.table("t", pd.DataFrame({"big": [2**70]}))))
    with pytest.raises(InputError, match="column 'big' of table 't' must be writable as int"):
        harvest.lay_out(made, tmp_path, JOB, complete=True)


def test_a_notebook_above_its_limit_is_refused(tmp_path):
    made = notebook(nbformat.v4.new_output("stream", name="stdout", text="x" * 5000))
    with pytest.raises(LimitError, match="at most 4,000 bytes"):
        harvest.lay_out(made, tmp_path, JOB | {"output_bytes": 4000}, complete=True)
    assert not (tmp_path / "results.json").exists()


def test_of_a_failed_run_only_the_notebook_is_kept(tmp_path):
    harvest.lay_out(notebook(shown(results.record("mae", 1))), tmp_path, JOB, complete=False)
    assert [p.name for p in tmp_path.iterdir()] == ["notebook.ipynb"]


def test_the_text_is_canonical():
    text = harvest.canonical(nbformat.v4.new_notebook(metadata={"b": "µ", "a": 1}))
    assert text.endswith("}\n")
    assert "µ" in text
    assert text.index('"a"') < text.index('"b"')


def test_paths_of_this_machine_are_replaced_whole_and_the_longest_first():
    replace = {"/srv/city/": "", "/srv/city/.venv": "<python>", "/srv/city": "<here>", "/root": "~", "/t m/p": "<tmp>"}
    text = "/srv/city/.venv/bin /srv/city/a/b.py /srv/city /srv/city2 /rootless \x1b[32m/root/x /root-2 '/root'"
    expected = "<python>/bin a/b.py <here> /srv/city2 /rootless \x1b[32m~/x /root-2 '~'"
    assert harvest.settled(text, replace) == expected
    assert harvest.settled("/t m/p/ipykernel_12/34.py:7: W", replace) == "<cell>:7: W"
    assert harvest.settled("as it is", {}) == "as it is"
