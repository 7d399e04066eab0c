"""Stations and crews: covering and median problems of Montreal and Pittsburgh, proven or with a gap, and recomputed.

What is told is worked out again by other code: chords and a search tree in Montreal, networkx on Pittsburgh's streets.
Pittsburgh has no calls of its own: they are planted, with five seeds, and so are its stations.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import rows
from benchmarks.rows import Point, Raw, Verdict, median

WITHIN, BUSY, SPEED = 4.0, 0.3, 30.0  # minutes, probability, km/h
POINTS_AT_MOST, SITES_AT_MOST, PROVEN_TO = 400, 100, 225
SIZES = (100, 225, 400)  # demand points of the p-median
PLANTED = {"per_year": 3000, "years": (2015, 2024), "stations": 30}
LIMIT = 900.0  # seconds of the solver, by the clock on the wall: other work on the machine counts
XY = ["latitude", "longitude"]
FILES = (
    *(f"citylib/allocation/{name}.py" for name in (
        "travel", "demand_points", "mixed_integer", "placement", "coverage", "expected_coverage", "p_median",
        "dispatch", "hypercube", "planted_calls")),
    *(f"citylib/data/sources/{name}.py" for name in ("emergency_montreal_fire", "network_pittsburgh")),
    "citylib/seeds.py", "benchmarks/allocation_stations.py",
)  # fmt: skip
PACKAGES = ("numpy", "scipy", "simpy", "networkx")
Array = Any


@dataclass(frozen=True, eq=False)
class City:
    """A city's calls and sites, and its ways by two kinds of code."""

    learned: Any
    judged: Any
    sites: Array
    today: int
    minutes: Callable[[Any], Array]
    within: Callable[[list[int], Any], Array]
    budgets: tuple[int, ...]
    data: dict[str, str]


def candidates(places: Array, weight: Array, stations: Array) -> Array:
    """Return the demand points that save most minutes beside today's stations, as many as there may be sites."""
    from citylib.allocation import p_median, travel

    among = np.vstack([stations, places])
    far = travel.great_circle_minutes(places, among, speed=SPEED)
    chosen = p_median.greedy(far, weight, SITES_AT_MOST, fixed=range(len(stations)))
    return chosen.sites[chosen.sites >= len(stations)] - len(stations)


def ball(frame: Any) -> Array:
    """Return places as points on the unit sphere."""
    latitude, longitude = np.radians(np.asarray(frame, dtype=float)).T
    return np.column_stack(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )


def montreal(seed: int) -> City:
    """Return Montreal: open stations, fires of 2015 to 2022, judged on the two years after; great circle and detour."""
    from scipy.spatial import KDTree

    from citylib import data
    from citylib.allocation import demand_points, travel

    source = data.load("emergency-montreal-fire")
    calls, table = source.events(), source.table("stations")
    year = calls["opened"].dt.year
    learned, judged = calls[year.between(2015, 2022)], calls[year.between(2023, 2024)]
    stations = table.loc[table["closed"].isna(), XY].to_numpy()
    points = demand_points.aggregate(learned[XY], most=POINTS_AT_MOST)
    sites = np.vstack([stations, points.places[candidates(points.places, points.weight, stations)]])
    chord = 2 * np.sin(WITHIN / 60 * SPEED / travel.DETOUR / travel.RADIUS_KM / 2)

    def within(units: list[int], frame: Any) -> Array:
        where = np.repeat(np.arange(len(sites)), units)
        return np.array([len(found) for found in KDTree(ball(sites[where])).query_ball_point(ball(frame[XY]), chord)])

    files = {file.file: file.sha256 for file in source.files}
    minutes = lambda frame: travel.great_circle_minutes(frame[XY], sites, speed=SPEED)  # noqa: E731
    return City(learned, judged, sites, len(stations), minutes, within, (10, 20, 30, 40, 50, 67), files)


def pittsburgh(seed: int) -> City:
    """Return Pittsburgh with planted calls and stations: streets with their directions, at one speed."""
    import networkx

    from citylib import data
    from citylib.allocation import demand_points, p_median, planted_calls, travel
    from citylib.data.sources.network_pittsburgh import with_reverse

    source = data.load("network-pittsburgh")
    edges = travel.largest_part(with_reverse(source.table("edges")))
    nodes = source.table("nodes")
    nodes = nodes[nodes["node"].isin(edges["start"]) & ~nodes["outside"] & nodes["district"].notna()]
    nodes = nodes.reset_index(drop=True)
    about = {"per_year": PLANTED["per_year"], "years": PLANTED["years"], "seed": seed}
    calls = planted_calls.planted_calls(nodes["latitude"], nodes["longitude"], nodes["district"], **about)
    learned, judged = calls[calls["opened"].dt.year < 2023], calls[calls["opened"].dt.year >= 2023]
    ground = demand_points.aggregate(nodes[XY], most=POINTS_AT_MOST)
    spread = travel.great_circle_minutes(ground.places, ground.places, speed=SPEED)
    old = p_median.greedy(spread, ground.weight, PLANTED["stations"]).sites
    stations = ground.stands[old]
    points = demand_points.aggregate(learned[XY], most=POINTS_AT_MOST)
    chosen = candidates(points.places, points.weight, nodes.loc[stations, XY].to_numpy())
    at = np.r_[stations, learned["node"].to_numpy()[points.stands[chosen]]]
    names = nodes["node"].to_numpy()
    every = travel.street_minutes(edges, names, names[at], speed=SPEED)
    graph = networkx.DiGraph()
    for start, end, length in zip(edges["start"], edges["end"], edges["length_m"], strict=True):
        minutes = length / 1000 / SPEED * 60
        if minutes < graph.get_edge_data(start, end, {"minutes": np.inf})["minutes"]:
            graph.add_edge(start, end, minutes=minutes)
    seen: dict[int, Array] = {}

    def reached(site: int) -> Array:
        if site not in seen:
            found = networkx.single_source_dijkstra_path_length(graph, names[at[site]], cutoff=WITHIN, weight="minutes")
            seen[site] = np.array([name in found for name in names])
        return seen[site]

    def within(units: list[int], frame: Any) -> Array:
        count = sum(int(k) * reached(s).astype(int) for s, k in enumerate(units) if k)
        return count[frame["node"].to_numpy()]

    files = {file.file: file.sha256 for file in source.files}
    budgets = (10, 20, 30, 40)
    return City(learned, judged, nodes.loc[at, XY].to_numpy(), len(stations),
                lambda frame: every[frame["node"].to_numpy()], within, budgets, files)  # fmt: skip


def placed(city: City, points: Any, minutes: Array, far: dict[str, Array], budget: int) -> Raw:
    """Solve one budget, and recount what the plans reach on every single call."""
    from citylib.allocation import coverage, expected_coverage

    load = points.weight
    about: dict[str, Any] = {"within": WITHIN, "seconds": LIMIT}
    first, cover = rows.spent(lambda: coverage.maximal_covering(minutes, load, budget, **about))
    second, crews = rows.spent(
        lambda: expected_coverage.maximal_expected_covering(minutes, load, budget, busy=BUSY, per_site=3, **about)
    )
    same = expected_coverage.maximal_expected_covering(minutes, load, budget, busy=BUSY, **about)
    rough = coverage.greedy(minutes, load, budget, within=WITHIN)
    rough_crews = expected_coverage.greedy(minutes, load, budget, within=WITHIN, busy=BUSY, per_site=3)
    of = lambda units: float(load @ expected_coverage.expected(minutes, units, within=WITHIN, busy=BUSY))  # noqa: E731
    raw: Raw = {"budget": budget, "seconds": [first, second]}
    for name, plan in {"mclp": cover, "mexclp": crews, "mexclp_one_each": same}.items():
        raw[name] = {"share": plan.share, "gap": plan.gap, "status": plan.status, "units": plan.units.tolist()}
    raw["greedy"] = [rough.value / cover.value, rough_crews.value / crews.value]
    raw["gain"] = [crews.value / of(cover.units) - 1, same.value / of(cover.units) - 1]
    raw["counts"] = {}
    for part, frame in {"learned": city.learned, "judged": city.judged}.items():
        told = coverage.covered(far[part], cover.sites, within=WITHIN)
        again = city.within(cover.units.tolist(), frame) > 0
        chance = expected_coverage.expected(far[part], crews.units, within=WITHIN, busy=BUSY).sum()
        anew = (1 - BUSY ** city.within(crews.units.tolist(), frame)).sum()
        raw["counts"][part] = {"calls": len(frame), "told": int(told.sum()), "again": int(again.sum()),
                               "differ": int((told != again).sum()),
                               "expected": [float(chance), float(anew)]}  # fmt: skip
    point = coverage.covered(minutes, cover.sites, within=WITHIN)
    raw["aggregated"] = [cover.value, int(point[points.member].sum())]
    return raw


def medians(city: City) -> list[Raw]:
    """Solve the p-median for few and many points."""
    from citylib.allocation import demand_points, p_median

    out = []
    for size in SIZES:
        points = demand_points.aggregate(city.learned[XY], most=size)
        far = city.minutes(city.learned.iloc[points.stands])
        for budget in city.budgets:
            seconds, found = rows.spent(
                lambda far=far, points=points, budget=budget: p_median.p_median(
                    far, points.weight, budget, seconds=LIMIT
                )
            )
            rough = p_median.greedy(far, points.weight, budget)
            out.append({"points": len(points.weight), "budget": budget, "minutes": found.share, "gap": found.gap,
                        "status": found.status, "seconds": seconds, "greedy": rough.value / found.value})  # fmt: skip
    return out


def study(make: Callable[[int], City], seeds: range) -> Raw:
    """Solve everything for one city, seed after seed; a seed done before by the same code is not done again."""
    code = json.dumps([rows.digests(FILES), WITHIN, BUSY, SPEED, SIZES, PLANTED])
    folder = rows.ROOT / "_build" / "stations" / hashlib.sha256(code.encode()).hexdigest()[:12]
    folder.mkdir(parents=True, exist_ok=True)
    raw: Raw = {"seeds": [], "data": {}}
    for seed in seeds:
        path = folder / f"{make.__name__}_{seed}.json"
        if not path.is_file():
            half = path.with_suffix(".part")
            half.write_text(json.dumps(one_seed(make(seed), seed)), encoding="utf-8")
            half.rename(path)
        one = json.loads(path.read_text(encoding="utf-8"))
        raw["data"] |= one.pop("data")
        raw["seeds"].append(one)
    return raw


def one_seed(city: City, seed: int) -> Raw:
    """Solve everything for one city and seed."""
    from citylib.allocation import coverage, demand_points

    points = demand_points.aggregate(city.learned[XY], most=POINTS_AT_MOST)
    minutes = city.minutes(city.learned.iloc[points.stands])
    far = {"learned": city.minutes(city.learned), "judged": city.minutes(city.judged)}
    one: Raw = {"seed": seed, "points": len(points.weight), "sites": len(city.sites), "today": city.today}
    one["solved"] = [placed(city, points, minutes, far, budget) for budget in city.budgets]
    now = {part: coverage.covered(v, range(city.today), within=WITHIN) for part, v in far.items()}
    one["share_today"] = {part: float(v.mean()) for part, v in now.items()}
    every = np.ones(len(city.learned))
    exact = coverage.maximal_covering(far["learned"], every, city.today, within=WITHIN, seconds=LIMIT)
    later = float(coverage.covered(far["judged"], exact.sites, within=WITHIN).mean())
    one["unaggregated"] = {"share": exact.share, "gap": exact.gap, "status": exact.status, "judged": later}
    one["median"] = medians(city)
    one["data"] = city.data
    return one


def judge(raw: Raw) -> Verdict:
    """Every covering plan proven, every recount equal, every p-median of up to 225 points proven."""
    solved = [one for seed in raw["seeds"] for one in seed["solved"]]
    plans = [one[name] for one in solved for name in ("mclp", "mexclp", "mexclp_one_each")]
    proven = all(p["gap"] == 0 and p["status"] == "optimal" for p in plans)
    counts = [c for one in solved for c in one["counts"].values()]
    equal = all(c["differ"] == 0 and c["told"] == c["again"] for c in counts)
    equal = equal and all(abs(c["expected"][0] / c["expected"][1] - 1) < 1e-12 for c in counts)
    equal = equal and all(one["aggregated"][0] == one["aggregated"][1] for one in solved)
    sizes = all(s["points"] <= POINTS_AT_MOST and s["sites"] <= SITES_AT_MOST for s in raw["seeds"])
    some = [m for seed in raw["seeds"] for m in seed["median"]]
    small, large = ([m for m in some if (m["points"] <= PROVEN_TO) == few] for few in (True, False))
    to_225 = bool(small) and all(m["gap"] == 0 and m["status"] == "optimal" for m in small)
    slowest = max(max(one["seconds"]) for one in solved)
    told = f"{len(plans)} covering plans, {sum(p['gap'] == 0 for p in plans)} proven, {slowest:.2f} s at most; "
    told += f"recounts {'equal' if equal else 'DIFFER'}; p-median {sum(m['gap'] == 0 for m in small)} of {len(small)} "
    told += f"proven to {PROVEN_TO} points, largest gap beyond {max(m['gap'] for m in large):.2%} of {len(large)}"
    greedy = median(one["greedy"][0] for one in solved)
    ratio = f"greedy {greedy:.4f} (least {min(one['greedy'][0] for one in solved):.4f})"
    return Verdict(told, "", ratio, proven and equal and to_225 and sizes)


def report(raw: Raw) -> Verdict:
    """Tell what greedy keeps, what expected covering gains, and what is covered in years not learned from."""
    words, gains = [], []
    for seed in raw["seeds"]:
        at = next(one for one in seed["solved"] if one["budget"] == seed["today"])
        judged, learned = at["counts"]["judged"], at["counts"]["learned"]
        gains.append(at["gain"])
        words.append(
            (at["mclp"]["share"], learned["told"] / learned["calls"], judged["told"] / judged["calls"],
             seed["share_today"]["judged"], seed["unaggregated"]["share"], seed["unaggregated"]["judged"])
        )  # fmt: skip
    middle = [median(w[k] for w in words) for k in range(6)]
    ends = [(min(w[k] for w in words), max(w[k] for w in words)) for k in range(6)]
    told = f"as many stations as today: {middle[0]:.3f} of demand points, {middle[1]:.3f} of the calls learned from, "
    told += f"{middle[2]:.3f} ({ends[2][0]:.3f} to {ends[2][1]:.3f}) of 2023-2024; without aggregating {middle[4]:.3f} "
    told += f"and {middle[5]:.3f}"
    several, single = (median(g[k] for g in gains) for k in (0, 1))
    gain = f"MEXCLP over MCLP {several:+.1%} ({min(g[0] for g in gains):+.1%} to {max(g[0] for g in gains):+.1%}), "
    return Verdict(told, f"today's stations {middle[3]:.3f}", gain + f"one unit a site {single:+.1%}")


def recorded(name: str) -> Callable[[bool], Raw]:
    """Return a measure that reads what another point recorded."""
    return lambda quick: json.loads((rows.RECORDED / f"{name}.json").read_text(encoding="utf-8"))["raw"]


def measure_montreal(quick: bool) -> Raw:
    """Montreal, the one city there is."""
    return study(montreal, range(1))


def measure_pittsburgh(quick: bool) -> Raw:
    """Pittsburgh, five seeds of planted calls."""
    return study(pittsburgh, range(1 if quick else 5))


def measure_dispatch(quick: bool) -> Raw:
    """Simulate dispatch against Erlang's loss and the hypercube of three units."""
    from citylib import seeds as streams
    from citylib.allocation import dispatch, hypercube

    raw: Raw = {"loss": [], "busy": [], "seconds": []}
    rate, order = np.array([0.08, 0.05, 0.03]), np.array([[0, 1, 2], [1, 2, 0], [2, 1, 0]])
    exact = hypercube.hypercube(rate, order, 10.0)
    raw["exact"] = {"loss": exact.lost, "busy": exact.busy.tolist(), "erlang": hypercube.erlang_loss(3, 1.6)}
    n = 5_000 if quick else 50_000
    for seed in range(5):
        generator = streams.generator(seed, "benchmark dispatch")
        times = dispatch.poisson_times(n, per_minute=0.16, generator=generator)
        zone = generator.choice(3, n, p=rate / rate.sum())
        way, stay = np.argsort(order, axis=1)[zone] * 1e-9, generator.exponential(10.0, n)
        seconds, found = rows.spent(lambda times=times, way=way, stay=stay: dispatch.simulate(times, way, stay))
        raw["loss"].append(found.lost)
        raw["busy"].append(found.busy.tolist())
        raw["seconds"].append(seconds)
    return raw


def judge_dispatch(raw: Raw) -> Verdict:
    """Tell how far the mean of five simulations is from the closed form, in standard errors of that mean."""
    busy, exact = np.array(raw["busy"]), raw["exact"]
    off = abs(np.mean(raw["loss"]) - exact["loss"]) / (np.std(raw["loss"], ddof=1) / np.sqrt(5))
    apart = np.abs(busy.mean(axis=0) - exact["busy"]).max()
    told = f"lost {np.mean(raw['loss']):.4f}, {off:.1f} standard errors off; busy off by {apart:.4f} at most; "
    return Verdict(
        told + f"{median(raw['seconds']):.2f} s", f"Erlang {exact['erlang']:.4f}, hypercube {exact['loss']:.4f}"
    )


BAR = "MCLP and MEXCLP proven (gap 0), p-median to 225 points; recount on every call equal"
POINTS = (
    Point("stations_montreal", "67 open stations, fires 2015-2022, judged 2023-2024; 400 points, 100 sites, 4 minutes",
          BAR, measure_montreal, judge, PACKAGES, FILES, long=True),
    Point("stations_pittsburgh", "planted calls and stations on the streets of Pittsburgh, five seeds",
          BAR, measure_pittsburgh, judge, PACKAGES, FILES, long=True),
    Point("stations_montreal_told", "what the plans reach in Montreal; by the record", "",
          recorded("stations_montreal"), report, (), ("benchmarks/recorded/stations_montreal.json",)),
    Point("stations_pittsburgh_told", "the same on Pittsburgh's planted calls; by the record", "",
          recorded("stations_pittsburgh"), report, (), ("benchmarks/recorded/stations_pittsburgh.json",)),
    Point("stations_dispatch", "dispatch simulated (SimPy) against closed forms, three units, five seeds", "",
          measure_dispatch, judge_dispatch, PACKAGES, FILES),
)  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(rows.main(POINTS, __doc__))
