"""The neural chapters held to their bars: forecasts, few labels, small models, kills, processes, leaks.

``python -m benchmarks.neural`` shows what was recorded and measures what is quick; ``--only POINT`` makes a point anew.
"""

from __future__ import annotations

import re
import subprocess
import sys

from benchmarks import (
    chapters,
    neural_beijing,
    neural_beijing_all,
    neural_boroondara,
    neural_compress,
    neural_congestion,
    neural_hybrid,
    neural_killed,
    neural_losloop,
    neural_pretraining,
    neural_processes,
    neural_text,
    rows,
)
from benchmarks.rows import Point, Raw, Verdict

LEAKS = {  # by name: a test that is renamed is missed, not forgotten
    "after the cut": (
        "neural/test_scaling.py::test_rows_after_the_cut_change_nothing",
        "neural/test_sensor_forecast.py::test_what_lies_after_the_cut_changes_nothing_fitted",
        "neural/test_sensor_forecast.py::test_what_was_held_chooses_epochs_and_nothing_else",
        "neural/test_few_labels.py::test_values_of_the_test_change_no_weight_no_scaler_and_no_choice",
        "neural/test_few_labels.py::test_nothing_of_its_half_after_the_cut_is_seen_by_what_a_target_is_judged_with",
        "neural/test_few_labels.py::test_before_the_cut_nothing_of_a_target_is_learned_from_but_its_few_windows",
        "neural/test_series_bank.py::test_nothing_after_the_cut_is_learned_from",
        "neural/test_pictures.py::test_what_comes_later_changes_nothing",
        "notebooks/test_hybrid.py::test_no_future_is_known",
    ),
    "after an origin": (
        "neural/test_sensor_forecast.py::test_what_lies_after_an_origin_changes_no_forecast_made_there",
        "neural/test_few_labels.py::test_values_from_the_origin_on_do_not_enter_its_forecast",
        "neural/test_pretrain.py::test_values_after_the_origin_do_not_enter_a_forecast",
        "neural/test_series_bank.py::test_a_forecast_does_not_know_what_comes_after_it",
        "neural/test_patch_transformer.py::test_what_is_not_seen_cannot_influence_anything",
        "neural/test_text.py::test_a_causal_model_sees_no_future",
    ),
    "across the split": (
        "neural/test_windows.py::test_a_window_across_the_split_is_refused",
        "neural/test_windows.py::test_no_window_crosses_the_split_and_none_is_missed",
        "neural/test_sensor_forecast.py::test_a_window_across_the_split_is_refused",
        "neural/test_few_labels.py::test_windows_end_before_the_cut_and_errors_are_those_of_the_forecast",
        "neural/test_series_bank.py::test_windows_keep_to_their_part",
        "neural/test_pictures.py::test_no_case_crosses_the_split",
    ),
}


def leaks(quick: bool) -> Raw:
    """Run every test that shuffles what comes after the cut, or after the origin, or cuts a window across the split."""
    every = [f"tests/{name}" for names in LEAKS.values() for name in names]
    words = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:randomly", *every]
    done = subprocess.run(words, cwd=rows.ROOT, capture_output=True, text=True, check=False)
    passed = set(re.findall(r"^PASSED tests/([^\s\[]+)", done.stdout, flags=re.MULTILINE))
    others = len(re.findall(r"^(?:FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b", done.stdout, flags=re.MULTILINE))
    missed = [name for names in LEAKS.values() for name in names if name not in passed]
    return {"code": done.returncode, "asked": {what: len(names) for what, names in LEAKS.items()}, "missed": missed,
            "others": others}  # fmt: skip


def judge_leaks(raw: Raw) -> Verdict:
    """Hold that each passes and none is skipped."""
    text = ", ".join(f"{count} tests of what lies {what}" for what, count in raw["asked"].items())
    text = f"{text}; {len(raw['missed'])} not passed" + (f": {', '.join(raw['missed'])}" if raw["missed"] else "")
    return Verdict(text, ok=raw["code"] == 0 and not raw["missed"] and not raw["others"])


POINTS = (
    Point("leaks", "values after the cut shuffled, values after each origin shuffled, windows across the split",
          "weights, scalers, epochs and forecasts unchanged bit for bit; refused", leaks, judge_leaks,
          ("torch", "pytest")),
    chapters.point("neural_chapters", ("neural/*", "timeseries/05_hybrid"),
                   ("notebooks/neural/*.ipynb", "notebooks/timeseries/05_hybrid.ipynb")),
)  # fmt: skip
PARTS = (
    neural_losloop,
    neural_beijing,
    neural_beijing_all,
    neural_boroondara,
    neural_congestion,
    neural_text,
    neural_pretraining,
    neural_hybrid,
    neural_compress,
    neural_killed,
    neural_processes,
)
EVERY = (*(point for part in PARTS for point in part.POINTS), *POINTS)


if __name__ == "__main__":
    raise SystemExit(rows.main(EVERY, __doc__))
