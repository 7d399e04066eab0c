"""Size limits: a book over them is not built."""

from __future__ import annotations

from pathlib import Path

import pytest

from citylib.errors import BuildError
from citylib.publish import sizes


def test_limits_are_those_of_the_design() -> None:
    assert (sizes.LIMITS.page_mean, sizes.LIMITS.page_most, sizes.LIMITS.notebook_most) == (10**6, 3 * 10**6, 2 * 10**6)


def test_pages_within_limits_pass_and_static_files_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static" / "macros.html").write_bytes(b"x" * 4_000_000)
    (tmp_path / "index.html").write_bytes(b"x" * 10)
    assert sizes.check_html(tmp_path) == {"index.html": 10}


def test_a_large_page_and_a_large_average_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "big.html").write_bytes(b"x" * 3_000_001)
    (tmp_path / "small.html").write_bytes(b"x")
    with pytest.raises(BuildError) as caught:
        sizes.check_html(tmp_path)
    assert "page big.html has 3.0 MB" in str(caught.value)
    assert "the average page has 1.5 MB" in str(caught.value)


def test_a_large_notebook_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "regression" / "01_a" / "default"
    folder.mkdir(parents=True)
    (folder / "notebook.ipynb").write_bytes(b"x" * 2_000_001)
    with pytest.raises(BuildError, match=r"executed notebook regression/01_a/default has 2\.0 MB"):
        sizes.check_notebooks([folder / "notebook.ipynb"])
