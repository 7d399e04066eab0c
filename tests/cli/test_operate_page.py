"""The operator's page: its commands exist, its files can be read, its scripts do what it says, its facts are true."""

from __future__ import annotations

import ast
import configparser
import io
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from citylib.batch import capacity, executors, interrupts, plan, progress, supervise
from citylib.batch.receipt import FILE
from citylib.batch.run import GOOD
from citylib.cli import data, dry_run, main
from citylib.cli.run import OUT
from citylib.errors import ParameterError
from tests.batch.conftest import write_notebook
from tests.cli import pages

OPERATE = (pages.ROOT / "book/guide/operate.md").read_text(encoding="utf-8")
PAGES = ("book/guide/operate.md", "book/guide/own_city.md", "book/guide/execution.md", "README.md")
COMMANDS = [(page, words) for page in PAGES for words in pages.commands((pages.ROOT / page).read_text("utf-8"))]
SH, PYTHON = pages.blocks(OPERATE, "sh"), pages.blocks(OPERATE, "python")


def test_commands_are_found_on_each_page():
    found = [page for page, _ in COMMANDS]
    assert {page: found.count(page) >= 2 for page in PAGES} == dict.fromkeys(PAGES, True)
    assert found.count(PAGES[0]) > 30


@pytest.mark.parametrize(
    ("page", "words"), COMMANDS, ids=lambda value: "_".join(value) if isinstance(value, list) else ""
)
def test_each_command_is_one_that_citylib_takes(page, words):
    pages.parse(words)


@pytest.mark.parametrize(
    "words", [["run"], ["run", "x", "--wokers", "2"], ["runs", "diff", "a"], ["run", "x", "--retries", "11"]]
)
def test_a_wrong_command_would_be_noticed(words):
    with pytest.raises(Exception, match=r"Missing|No such option|less than or equal"):
        pages.parse(words)


def test_the_plan_is_one_and_has_all_that_the_page_explains(tmp_path, monkeypatch):
    monkeypatch.chdir(pages.ROOT)
    (tmp_path / "city.toml").write_text(pages.blocks(OPERATE, "toml")[0], encoding="utf-8")
    made = plan.load(tmp_path / "city.toml")
    forecasts = [run for run in made.runs if run.notebook == "timeseries/02_arima"]
    places = [run for run in made.runs if run.comparison is not None]
    sensors = {str(run.parameters["sensor"]) for run in forecasts}
    assert len(made.runs) == len(forecasts) + len(places)
    assert len(forecasts) == 2 * len(sensors) > 2
    assert len({run.parameters["place"] for run in places}) == len(places) > 1
    assert all(run.retries == 1 and run.limits.minutes == 5 for run in made.runs)
    told = {row[0].strip("`") for row in pages.rows(OPERATE, "| key |")}
    assert told == {*plan.PLAN_KEYS, *plan.RUN_KEYS} - {"run"}


def test_the_faults_of_a_plan_are_told_as_the_page_shows_them(tmp_path, monkeypatch):
    monkeypatch.chdir(pages.ROOT)
    where = 'each = { sensor = { column = "sensor", where = "lane > 1" } }'
    block = f'[[run]]\nnotebook = "timeseries/02_arima"\ngrid = {{ orders = [[2, 1, 9]] }}\n{where}\n'
    (tmp_path / "bad.toml").write_text(f'retries = 20\n{block}set = {{ source = "synthetic:tiny" }}\n')
    with pytest.raises(ParameterError) as raised:
        plan.load(tmp_path / "bad.toml")
    shown = next(text for text in pages.blocks(OPERATE, "text") if text.startswith("citylib: bad.toml"))
    assert f"citylib: {raised.value}".replace(f"{tmp_path}/", "").split() == shown.split()


def test_a_dry_run_is_shown_as_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(pages.ROOT)
    (tmp_path / "city.toml").write_text(pages.blocks(OPERATE, "toml")[0], encoding="utf-8")
    made = plan.load(tmp_path / "city.toml")
    shown = io.StringIO()
    dry_run.show(Console(file=shown, force_terminal=True, width=200), made, tmp_path, 2, force=False, as_json=False)
    head, *_ = re.sub(r"\x1b\[[0-9;]*m", "", shown.getvalue()).splitlines()
    assert f"| {' | '.join(re.split(r' {2,}', head.strip()))} |" in OPERATE
    ids = {f"{run.notebook} [{run.id.replace('48', '72')}]" for run in made.runs}
    told = {row[0].replace("\\", "") for row in pages.rows(OPERATE, "| run | would |")}
    assert told <= ids | {f"{run.notebook} [{run.id}]" for run in made.runs}
    assert len(told) == 3


def test_the_codes_are_those_of_the_program():
    codes = [int(row[0]) for row in pages.rows(OPERATE, "| code |")]
    assert codes == [0, data.FAULTY, data.MISUSED, interrupts.CODE]
    assert [int(code) for code in re.findall(r"^  (\d+)\)", SH[0], flags=re.M)] == codes


@pytest.mark.parametrize(
    ("phrase", "value", "said"),
    [
        (r"from 0 to (\d+); none, if left out", plan.MOST_RETRIES, int),
        (r"may take (\d+) minutes, 2 GiB and 2 MB", supervise.Limits().minutes, float),
        (r"10 minutes, (\d+) GiB and 2 MB", supervise.Limits().memory, lambda text: int(text) * 2**30),
        (r"10 minutes, 2 GiB and (\d+) MB", supervise.Limits().output, lambda text: int(text) * 10**6),
        (r"with more than (\d+) runs to do", progress.MANY, int),
        (r"looked at (five) times a second", supervise.POLL, {"five": 1 / 5}.get),
        (r"what the machine has, less a (tenth)", capacity.RESERVE, {"tenth": 1 / 10}.get),
        (r"waits (\d+) s for a first one", executors.FIRST_WORKER, float),
        (r"does not answer for (\d+) s", executors.TIMEOUT, float),
    ],
)
def test_numbers_on_the_page_are_those_of_the_code(phrase, value, said):
    (found,) = re.findall(phrase, " ".join(OPERATE.split()))
    assert said(found) == value


def test_versions_on_the_page_are_the_locked_ones():
    locked = dict(
        line.split("==") for line in (pages.ROOT / "requirements.lock").read_text().splitlines() if "==" in line
    )
    (papermill,) = re.findall(r"\(papermill ([\d.]+)\)", OPERATE)
    assert locked["papermill"].startswith(f"{papermill}.")


# --- what a run leaves ---


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> Path:
    """Return a project in which a plan of one run was run."""
    folder = tmp_path_factory.mktemp("city")
    (folder / "requirements.lock").write_text("numpy==2.0\n")
    cells = (
        "from citylib import results\nimport pandas as pd\n_ = results.record('mae', 1.5, unit='veh/h')",
        "_ = results.table('usual', pd.DataFrame({'hour': [1, 2]}))",
    )
    write_notebook(folder / "notebooks" / "fam" / "01_first.ipynb", *cells)
    (folder / "city.toml").write_text('[[run]]\nnotebook = "fam/01_first"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        with pytest.raises(SystemExit) as ended:
            main(["run", "city.toml"])
    assert ended.value.code == 0
    return folder


def test_each_field_of_a_receipt_is_explained(city):
    content = json.loads((city / OUT / "city/fam/01_first/default" / FILE).read_text())
    told = [name for row in pages.rows(OPERATE, "| field |") for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(told) == sorted(content)


def test_each_outcome_is_explained():
    (row,) = [row for row in pages.rows(OPERATE, "| field |") if row[0] == "`outcome`"]
    statuses = {*progress.WORDS} - {"skipped", "stopped"}  # of those there is no receipt
    assert set(re.findall(r"`(\w+)`", row[1])) == statuses
    assert statuses & set(GOOD) == {"ok"}


def test_each_file_of_a_run_is_explained(city):
    place = city / OUT / "city/fam/01_first/default"
    told = [row[0].strip("`") for row in pages.rows(OPERATE, "| file |")]
    for path in (p for p in place.rglob("*") if p.is_file()):
        assert any(path.relative_to(place).match(pattern) for pattern in told), path


def test_the_program_that_reads_results_back_does(city, monkeypatch):
    monkeypatch.chdir(city)
    (program,) = [text for text in PYTHON if "collect" in text]
    names: dict[str, object] = {}
    exec(compile(program, "operate.md", "exec"), names)
    assert [len(names[name]) for name in ("runs", "records", "usual")] == [1, 1, 2]
    assert (city / "records.parquet").is_file()


# --- what starts it ---

MAILED = {
    0: [],
    1: ["Runs failed, or the book could not be built:", "listed", "The end of LOG:", "said"],
    2: ["The plan or the command makes no sense. Nothing was run.", "The end of LOG:", "said"],
    130: ["It was interrupted. The next night goes on from there.", "The end of LOG:", "said"],
    137: ["It ended with code 137.", "The end of LOG:", "said"],
}


@pytest.mark.parametrize("code", MAILED)
def test_the_nightly_script_mails_what_happened_and_hands_the_code_on(code, tmp_path):
    program = tmp_path / "project" / ".venv" / "bin" / "citylib"
    program.parent.mkdir(parents=True)
    (tmp_path / "log").mkdir()
    program.write_text(f'#!/bin/sh\nif [ "$1" = runs ]; then echo listed; exit 0; fi\necho said; exit {code}\n')
    program.chmod(0o755)
    (tmp_path / "nightly.sh").write_text(SH[0].replace("/srv/city", str(tmp_path)))
    ran = subprocess.run(["sh", str(tmp_path / "nightly.sh")], capture_output=True, text=True, check=False)
    (log,) = (tmp_path / "log").iterdir()
    assert ran.returncode == code
    assert ran.stdout.replace(str(log), "LOG").splitlines() == MAILED[code]
    assert ran.stderr == ""


@pytest.mark.parametrize("script", [*SH, *pages.blocks(OPERATE, "bash")])
def test_scripts_are_of_the_shell(script):
    shell = "bash" if "bash" in script.split("\n")[0] else "sh"
    checked = subprocess.run([shell, "-n"], input=script, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_crontab_is_one():
    (table,) = [text for text in pages.blocks(OPERATE, "text") if text.startswith("MAILTO")]
    jobs = [line for line in table.splitlines() if not re.match(r"#|[A-Z_]+=", line)]
    assert len(jobs) == 2
    for job in jobs:
        assert re.match(r"(?:(?:\*|\d+)\s+){5}\S", job), job
        assert not re.search(r"(?<!\\)%", job), "cron takes % for the end of the line"


def test_the_units_of_systemd_are_complete():
    units = []
    for text in pages.blocks(OPERATE, "ini"):
        unit = configparser.ConfigParser(interpolation=None, strict=False)
        unit.optionxform = str  # type: ignore[assignment]
        unit.read_string(text)
        units.append({name: set(unit[name]) for name in unit.sections()})
    service, timer = units
    assert {"Type", "WorkingDirectory", "ExecStart", "KillMode"} <= service["Service"]
    assert timer["Timer"] == {"OnCalendar", "Persistent"}
    assert timer["Install"] == {"WantedBy"}


@pytest.mark.parametrize("program", PYTHON)
def test_programs_are_of_python(program):
    ast.parse(program)


def test_parameters_that_airflow_sets_are_those_of_the_chapter():
    from citylib.batch import parameters

    declared = {p.name for p in parameters.declared(pages.ROOT / "notebooks/timeseries/02_arima.ipynb")}
    (program,) = [text for text in PYTHON if "PapermillOperator(" in text]
    (given,) = [node for node in ast.walk(ast.parse(program)) if isinstance(node, ast.Dict)]
    assert {ast.literal_eval(key) for key in given.keys} <= declared  # type: ignore[arg-type]
    assert set(re.findall(r"-p (\w+)=", "".join(PYTHON))) <= declared


def test_the_cluster_of_kubernetes_fits_together():
    (text,) = pages.blocks(OPERATE, "yaml")
    claim, cluster, job = yaml.safe_load_all(text)
    worker, scheduler = (cluster["spec"][name]["spec"]["containers"][0] for name in ("worker", "scheduler"))
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    runner = pod["containers"][0]
    name = cluster["metadata"]["name"]
    assert [claim["kind"], cluster["kind"], job["kind"]] == ["PersistentVolumeClaim", "DaskCluster", "CronJob"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    assert runner["command"][-1] == f"tcp://{name}-scheduler:8786"
    assert worker["volumeMounts"] == runner["volumeMounts"]
    assert cluster["spec"]["worker"]["spec"]["volumes"] == pod["volumes"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert worker["image"] == scheduler["image"] == runner["image"]
    assert cluster["spec"]["scheduler"]["service"]["selector"]["dask.org/cluster-name"] == name
    assert all(isinstance(word, str) for word in [*worker["command"], *scheduler["command"], *runner["command"]])


@pytest.mark.parametrize("words", [["worker"], ["scheduler"]])
def test_options_of_dask_are_known(words):
    import distributed.cli.dask_scheduler
    import distributed.cli.dask_worker

    known = getattr(distributed.cli, f"dask_{words[0]}").main.params
    options = {option for parameter in known for option in (*parameter.opts, *parameter.secondary_opts)}
    script = next(text for text in SH if "dask worker" in text).replace("\\\n", " ")
    given = re.findall(rf"dask {words[0]}(.*)", script) + re.findall(rf"dask, {words[0]}(.*)\]", OPERATE)
    used = {option for line in given for option in re.findall(r"--[a-z-]+", line)}
    assert used
    assert used <= options
