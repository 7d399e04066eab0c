"""What a machine has for runs, as its files under /proc and /sys say."""

from __future__ import annotations

import os

import psutil
import pytest

from citylib.batch import capacity

GIB = 2**30
TOTAL = psutil.virtual_memory().total


def machine(root, cgroup: str, files: dict[str, str]):
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(cgroup)
    for name, text in files.items():
        path = root / "sys" / "fs" / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("cgroup", "files", "has"),
    [
        ("0::/\n", {}, TOTAL),
        ("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": f"{GIB}\n"}, GIB),
        ("0::/a/b\n", {"a/b/memory.max": f"{GIB // 4}\n", "a/memory.max": f"{GIB}\n"}, GIB // 4),
        ("4:memory:/a\n0::/\n", {"memory/a/memory.limit_in_bytes": f"{GIB}\n"}, GIB),
        ("4:memory:/a\n", {"memory/memory.limit_in_bytes": f"{2**63 - 1}\n"}, TOTAL),  # that is how it says: none
    ],
)
def test_memory_is_the_least_of_machine_and_cgroups_less_a_reserve(tmp_path, cgroup, files, has):
    budget = capacity.memory_budget(machine(tmp_path, cgroup, files))
    assert budget == has - min(has // 2, max(has // 10, 512 * 2**20))
    assert 0 < budget < has


@pytest.mark.parametrize(
    ("cgroup", "files", "most"),
    [
        ("0::/\n", {}, 10**6),
        ("0::/a\n", {"a/cpu.max": "max 100000\n"}, 10**6),
        ("0::/a\n", {"a/cpu.max": "100000 100000\n"}, 1),
        ("0::/a\n", {"a/cpu.max": "20000 100000\n"}, 1),  # a fifth of a core is one worker
        (
            "3:cpu,cpuacct:/a\n",
            {"cpu,cpuacct/a/cpu.cfs_quota_us": "-1", "cpu,cpuacct/a/cpu.cfs_period_us": "100"},
            10**6,
        ),
        ("3:cpu,cpuacct:/a\n", {"cpu,cpuacct/a/cpu.cfs_quota_us": "100", "cpu,cpuacct/a/cpu.cfs_period_us": "100"}, 1),
    ],
)
def test_cores_are_those_it_is_bound_to_within_the_quota(tmp_path, cgroup, files, most):
    assert capacity.cores(machine(tmp_path, cgroup, files)) == min(len(os.sched_getaffinity(0)), most)


def test_without_any_of_these_files_the_machine_counts(tmp_path):
    assert capacity.cores(tmp_path) == len(os.sched_getaffinity(0))
    assert capacity.memory_budget(tmp_path) < TOTAL
