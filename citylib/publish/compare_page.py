"""The page of a comparison: how many ran, their order and how sure it is, where they lie, all results, what failed."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from citylib.errors import InputError, UnknownNameError
from citylib.publish import chapter as chapter_page
from citylib.publish import compare_figures as figures
from citylib.publish import markdown
from citylib.publish.compare import Compared, Failed
from citylib.publish.compare_files import File
from citylib.publish.ranking import ASSUMED, Ranking, rank
from citylib.publish.runs import FinishedRun

__all__ = ["back", "page"]

FEW_NAMED = 6  # places that a sentence names


def page(compared: Compared, offered: Sequence[File], notebook_link: str) -> str:
    """Return the page that compares all places.

    Parameters
    ----------
    compared : Compared
        The runs.
    offered : sequence of File
        What it offers for download, written to `Compared.files`.
    notebook_link : str
        MyST: the notebook that was run, as a link where the book has a page of it.

    Returns
    -------
    str
        MyST.

    Raises
    ------
    UnknownNameError, InputError
        The plan ranks by a record, or draws a table, that no run has.
    """
    comparison = compared.comparison
    ranking, reason = _ranking(compared)
    parts = [f"# {markdown.text(comparison.title)}", _head(compared, offered, notebook_link), comparison.about]
    if compared.failed:
        parts.append(_warning(compared))
    if ranking:
        parts += ["## In order", _order_words(compared, ranking), _raw(figures.order(compared, ranking))]
        parts.append(_how_sure(ranking))
    elif reason:
        parts += ["## In order", f"They are not put in order: {markdown.text(reason)}"]
    drawn = figures.where(compared, ranking)
    if drawn:
        parts += ["## Where they are", _raw(drawn)]
    drawn, reason = figures.curves(compared)
    if drawn:
        parts += [f"## Each {comparison.what}, on common axes", _raw(drawn)]
    elif reason:
        parts += [f"## Each {comparison.what}", f"No curves are drawn: {markdown.text(reason)}"]
    if compared.runs:
        parts += ["## All results", _raw(_table(compared, ranking))]
    if compared.failed:
        parts += ["(what-failed-" + comparison.name + ")=", "## What failed", *map(_failure, compared.failed)]
    parts += ["## Take them with you", _downloads(compared, offered)]
    return "\n\n".join(part for part in parts if part) + "\n"


def back(compared: Compared, run: FinishedRun, notebook_link: str) -> str:
    """Return the line on a run's page that leads back to the comparison.

    Parameters
    ----------
    compared : Compared
        The runs.
    run : FinishedRun
        The one whose page it is.
    notebook_link : str
        As in `page`.

    Returns
    -------
    str
        MyST.
    """
    at = compared.runs.index(run)
    around = [compared.runs[k] for k in (at - 1, at + 1) if 0 <= k < len(compared.runs)]
    links = ", ".join(f"[{markdown.text(compared.place_of(r))}](/{compared.document_of(r)}.ipynb)" for r in around)
    said = f"One of [{compared.ran}](/{compared.document}.md), each made by {notebook_link}."
    return f":::{{container}} citylib-siblings\n{said} Next to it: {links or 'none'}.\n:::"


def _head(compared: Compared, offered: Sequence[File], notebook_link: str) -> str:
    sources = dict.fromkeys(source for run in compared.runs for source in run.sources)
    spent = sum(float(run.receipt.get("seconds", 0)) for run in compared.runs)
    facts = [
        f"{compared.ran} ran",
        f"a run each of {notebook_link}",
        ", ".join(chapter_page.source_link(name) for name in sources),
        markdown.seconds(spent),
        *(_link(compared, file, form, form) for file in offered[:1] for form in file.content),
    ]
    return f":::{{container}} citylib-receipt\n{' · '.join(fact for fact in facts if fact)}\n:::"


def _warning(compared: Compared) -> str:
    one = len(compared.failed) == 1
    named = ", ".join(markdown.text(bad.place) for bad in compared.failed[:FEW_NAMED])
    more = f" and {len(compared.failed) - FEW_NAMED} more" if len(compared.failed) > FEW_NAMED else ""
    why = f"its run {compared.lack.replace('were', 'was')}" if one else f"their runs {compared.lack}"
    return (
        f":::{{admonition}} {len(compared.runs)} of {compared.count} ran\n:class: warning\n"
        f"{named}{more} {'has' if one else 'have'} no results: {why}. "
        f"Everything on this page leaves {'it' if one else 'them'} out. "
        f"[What failed, and where](#what-failed-{compared.comparison.name}).\n:::"
    )


def _ranking(compared: Compared) -> tuple[Ranking | None, str]:
    """Return the order, or why there is none though the plan asks for one."""
    asked = compared.comparison
    if asked.rank is None or not compared.runs:
        return None, ""
    found = {compared.place_of(run): run.records for run in compared.runs}
    try:
        return rank(asked.rank, found, ascending=asked.best == "low"), ""
    except UnknownNameError:
        raise
    except InputError as fault:
        return None, str(fault)


def _order_words(compared: Compared, ranking: Ranking) -> str:
    best = {"low": "lowest first: lower is better", "high": "highest first: higher is better", "none": "highest first"}
    unit = f" in {markdown.text(ranking.unit)}" if ranking.unit else ""
    words = f"By **{markdown.text(markdown.name(ranking.record))}**{unit}, {best[compared.comparison.best]}."
    left = len(compared.runs) - len(ranking.places)
    if left:
        words += f" {left} of those that ran did not record it and {'is' if left == 1 else 'are'} left out."
    if ranking.level is None:
        return words + " Not every place has an interval, so **nothing is known of how sure this order is**."
    pairs = len(ranking.places) - 1
    if pairs:
        words += f" Of {pairs} pairs of neighbours in this order, **{ranking.told_apart} are told apart**."
        words += " " + _ends(ranking, "first", 1) + " " + _ends(ranking, "last", len(ranking.places))
        words += f" All of this at once is said with {ranking.level:.0%} confidence"
        words += ", as far as the intervals below can be trusted." if _narrow(ranking) else "."
    return words + _basis(ranking)


def _basis(ranking: Ranking) -> str:
    """Return on how much the intervals rest, and how many are called too narrow by the notebook that made them."""
    count, known = len(ranking.places), sorted(p.blocks for p in ranking.places if p.blocks)
    words = ""
    if known:
        of = f"{known[0]}" if known[0] == known[-1] else f"{known[0]} to {known[-1]}"
        words += f" The intervals rest on {of} blocks of neighbouring readings at each place"
        words += ": **few, so they are wide.**" if known[0] < ASSUMED else "."
    silent = count - len(known)
    if silent:
        which = "No notebook says" if silent == count else f"{silent} of {count} do not say"
        words += f" {which} on how many blocks of readings its interval rests; {ASSUMED} are assumed."
    narrow = _narrow(ranking)
    if narrow:
        named = ", ".join(map(markdown.text, narrow[:FEW_NAMED])) + (", …" if len(narrow) > FEW_NAMED else "")
        words += f" **{len(narrow)} of {count} find their own interval too narrow** ({named}), so its rank is too sure."
    return words


def _narrow(ranking: Ranking) -> list[str]:
    return [p.name for p in ranking.places if p.too_narrow]


def _ends(ranking: Ranking, end: str, at: int) -> str:
    could = [p.name for p in ranking.places if p.ranks and p.ranks[0] <= at <= p.ranks[1]]
    if len(could) == 1:
        return f"{markdown.text(could[0])} is {end}."
    named = ", ".join(map(markdown.text, could[:FEW_NAMED]))
    listed = f": {named}" if len(could) <= FEW_NAMED else ""
    return f"Any of {len(could)} could be {end}{listed}."


def _how_sure(ranking: Ranking) -> str:
    if ranking.level is None:
        return ""
    count, single = len(ranking.places), f"{ranking.level:.0%}"
    each = f"{1 - (1 - ranking.level) / count:.2%}"
    return (
        f":::{{admonition}} How sure is a rank?\n:class: dropdown note\n"
        f"The thick line is each place's own {single} interval, made by its notebook and explained there. Of {count} "
        f"intervals looked at at once some are expected to miss. So each is widened to a level of {each} (thin line): "
        f"if each then holds as often as that, all {count} hold at once with {single} (Bonferroni). Two "
        "places are told apart where the widened intervals do not overlap, and the ranks left open to each are a "
        "joint confidence set for the whole order {cite}`klein2020`.\n\n"
        "How far to widen depends on what an interval rests on. Neighbouring days resemble each other, so a month of "
        "readings may be worth no more than four independent weeks, and four weeks say little of how much weeks "
        "differ. Student's t allows for that, with one degree of freedom less than there are blocks "
        "{cite}`ibragimov2010`; the normal curve, which takes the width as known, would make ranks far too sure.\n\n"
        "This is cautious. Places of one city share their weather and their weeks and rise and fall together, so two "
        "whose intervals overlap may still be told apart by comparing them day by day. This page does not do that. And "
        "it trusts the notebooks: where readings remember each other for longer than a block, as through a season, "
        "intervals are too narrow there, and ranks too sure here.\n:::"
    )


def _table(compared: Compared, ranking: Ranking | None) -> str:
    """Return the table of all records, a row a place; its cells sort by their numbers."""
    first = [ranking.record] if ranking else []
    names = list(dict.fromkeys([*first, *(str(r["name"]) for run in compared.runs for r in run.records)]))
    units = {n: {str(r.get("unit", "")) for run in compared.runs for r in run.records if r["name"] == n} for n in names}
    places = {p.name: p for p in ranking.places} if ranking else {}
    ranked = any(p.ranks for p in places.values())
    what = compared.comparison.what
    head = [what, *(["ranks it may have"] if ranked else []), *(_heading(n, units[n]) for n in names)]
    rows = []
    for run in compared.runs:
        place = compared.place_of(run)
        address = f"{compared.document_of(run).removeprefix('compare/')}.html"
        cells = [f'<th scope="row"><a href="{html.escape(address)}">{html.escape(place)}</a></th>']
        if ranked:
            cells.append(_rank_cell(places.get(place)))
        by_name = {str(r["name"]): r for r in run.records}
        cells += [_cell(by_name.get(n), own_unit=len(units[n]) > 1) for n in names]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    for bad in compared.failed:
        empty = '<td data-order=""></td>' * (len(names) - 1 + ranked)
        link = f'<a href="#what-failed-{compared.comparison.name}">{html.escape(bad.outcome)}</a>'
        place = f'<th scope="row">{html.escape(bad.place)}</th>'
        rows.append(f'<tr class="citylib-failed">{place}<td data-order="">{link}</td>{empty}</tr>')
    shown = "".join(f'<th scope="col">{html.escape(h)}</th>' for h in head)
    caption = f"All records of {compared.ran}; under a value its interval and its baseline"
    return (
        f'<div class="citylib-table"><table class="sortable citylib-places"><caption>{html.escape(caption)}</caption>'
        f"<thead><tr>{shown}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _heading(name: str, units: set[str]) -> str:
    unit = next(iter(units)) if len(units) == 1 else ""
    unit = "" if unit == markdown.name(name) else unit  # "fits" are counted in fits
    return f"{markdown.name(name)} [{unit}]" if unit else markdown.name(name)


def _rank_cell(place: Any) -> str:
    if place is None or place.ranks is None:
        return '<td data-order=""></td>'
    first, last = place.ranks
    middle = (first + last) / 2 + first / 1000  # of those with one middle, the better first
    return f'<td class="number" data-order="{middle:g}">{first if first == last else f"{first} to {last}"}</td>'


def _cell(record: Mapping[str, Any] | None, own_unit: bool) -> str:
    if record is None:
        return '<td data-order=""></td>'
    value = record["value"]
    if isinstance(value, (str, bool)):
        return f"<td>{html.escape(str(value))}</td>"
    unit = f" {record['unit']}" if own_unit and record.get("unit") else ""
    under = []
    if record.get("interval"):
        low, high = (markdown.number(end, 3) for end in record["interval"])
        under.append(f"{low} to {high}")
    if record.get("baseline") is not None:
        under.append(f"baseline {markdown.number(record['baseline'], 3)}")
    small = "".join(f'<span class="citylib-under">{html.escape(line)}</span>' for line in under)
    shown = html.escape(f"{markdown.number(value, 3)}{unit}")
    return f'<td class="number" data-order="{float(value)!r}">{shown}{small}</td>'


def _failure(bad: Failed) -> str:
    where = f", in cell {markdown.code(bad.error['cell'])}" if bad.error.get("cell") else ""
    took = f" after {markdown.seconds(bad.seconds)}" if bad.seconds else ""
    parts = [f"### {markdown.text(bad.place)}", f"Outcome **{markdown.text(bad.outcome)}**{took}{where}."]
    if bad.error.get("source"):
        parts.append(_fenced(str(bad.error["source"]), "python"))
    if bad.error:
        parts.append(_fenced(f"{bad.error.get('name', 'error')}: {bad.error.get('message', '')}", "text"))
    return "\n\n".join(parts)


def _fenced(text: str, language: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}"


def _downloads(compared: Compared, offered: Sequence[File]) -> str:
    rows = [
        [
            markdown.code(file.name),
            markdown.text(file.what),
            f"{file.rows:,}",
            ", ".join(
                _link(compared, file, form, form.upper() if form == "csv" else form.capitalize())
                for form in file.content
            ),
        ]
        for file in offered
    ]
    note = "Columns that begin with `p_` are parameters of the run."
    return note + "\n\n" + markdown.table(["file", "what is in it", "rows", "as"], rows, classes="citylib-files")


def _link(compared: Compared, file: File, form: str, words: str) -> str:
    return f"{{download}}`{words} </{compared.files}/{file.name}.{form}>`"


def _raw(markup: str) -> str:
    return f"```{{raw}} html\n{markup}\n```"
