"""The report as one HTML page, without scripts and without anything from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from utils.exercises.registry import all_exercises

if TYPE_CHECKING:
    from utils.grading.alike import Pair
    from utils.grading.report import Row, Summary

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem;
  color: #1b1b1b; background: #fff; }
table { border-collapse: collapse; margin: 1rem 0 2rem; }
caption { text-align: left; font-weight: 600; padding-bottom: .4rem; }
th, td { border-bottom: 1px solid #ccc; padding: .25rem .6rem; text-align: left;
  vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td:first-child { white-space: nowrap; }
td.full { background: #d9ead3; } td.part { background: #fff2cc; } td.none { background: #f4d9d6; }
.wide { overflow-x: auto; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; margin: .5rem 0 1.5rem; }
.pair blockquote { margin: 0; padding: .6rem .8rem; background: #f3f3f3; white-space: pre-wrap; }
.bar { display: inline-block; height: .8rem; background: #3b6ea5; vertical-align: baseline; }
@media (max-width: 40rem) { .pair { grid-template-columns: 1fr; } }
"""


def page(summary: Summary) -> str:
    """Return the page."""
    title = f"{summary.spec['title']}: report"
    parts = [
        _head(summary),
        _scores(summary),
        _exercises(summary),
        _misconceptions(summary),
        _calibration(summary),
        _trouble(summary),
        _alike(summary.pairs),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>\n"
        f"<body><h1>{escape(title)}</h1>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _head(summary: Summary) -> str:
    handed = [row for row in summary.rows if row.scores]
    top = sum(entry["points"] for entry in summary.spec["exercises"])
    mean = sum(row.automatic for row in handed) / len(handed) if handed else 0
    to_read = sum(row.to_read for row in summary.rows)
    text = (
        f"{len(handed)} of {len(summary.rows)} handed in. On average {mean:.1f} of {top:g} points "
        f"that are given automatically. {to_read} texts wait to be read."
    )
    return f"<p>{text}</p>"


def _scores(summary: Summary) -> str:
    entries = summary.spec["exercises"]
    head = ["student", *(e["id"] for e in entries), "automatic", "by hand", "total", "remark"]
    rows = [[_student(row), *_cells(row, entries), *_sums(row)] for row in summary.rows]
    return f'<div class="wide">{_table("Points by exercise", head, rows)}</div>'


def _student(row: Row) -> str:
    name = f"{row.student.first_name} {row.student.last_name}".strip()
    return _td(f"{row.student.id} ({name})" if name else row.student.id)


def _cells(row: Row, entries: Sequence[dict]) -> Iterable[str]:
    for entry in entries:
        if entry["id"] not in row.scores:
            yield _td("")
            continue
        score, top = row.scores[entry["id"]], entry["points"]
        kind = "full" if score >= top - 1e-9 else "part" if score > 0 else "none"
        yield f'<td class="n {kind}">{score:g}</td>'


def _sums(row: Row) -> list[str]:
    remark = "" if row.status == "graded" else row.status
    remark = "; ".join(filter(None, [remark, "late" if row.late else ""]))
    numbers = (row.automatic, row.by_hand, row.total)
    return [*(f'<td class="n">{number:g}</td>' for number in numbers), _td(remark)]


def _exercises(summary: Summary) -> str:
    declared = all_exercises()
    rows = []
    for entry in summary.spec["exercises"]:
        count = summary.rulings.get(entry["id"], {})
        numbers = [count.get(s, 0) for s in ("right", "not yet", "not attempted")]
        scores = [row.scores[entry["id"]] for row in summary.rows if entry["id"] in row.scores]
        mean = sum(scores) / len(scores) if scores else 0
        rows.append(
            [
                _td(f"{entry['id']} {entry['title']}"),
                _td(declared[entry["id"]].objective),
                *(f'<td class="n">{number}</td>' for number in numbers),
                f'<td class="n">{mean:.2f} of {entry["points"]:g}</td>',
            ]
        )
    head = ["exercise", "objective", "right", "not yet", "blank", "mean points"]
    return _table("Where the class stands", head, rows)


def _misconceptions(summary: Summary) -> str:
    rows = [
        [
            _td(exercise),
            f'<td class="n">{len(students)}</td>',
            _td(says),
            _td(", ".join(students)),
        ]
        for exercise, found in sorted(summary.misconceptions.items())
        for says, students in found
    ]
    if not rows:
        return "<h2>Misconceptions</h2><p>None was recognised.</p>"
    head = ["exercise", "how many", "what the check told them", "who"]
    return _table("Misconceptions that the checks recognised", head, rows)


def _calibration(summary: Summary) -> str:
    if not any(n for _, n, _ in summary.calibration):
        return "<h2>Predictions</h2><p>Nobody handed in predictions.</p>"
    rows = []
    for sure, n, hits in summary.calibration:
        share = f"{100 * hits / n:.0f} %" if n else ""
        bar = f'<span class="bar" style="width:{10 * hits / n:.1f}rem"></span>' if n else ""
        rows.append(
            [_td(sure), *(f'<td class="n">{k}</td>' for k in (n, hits, share)), f"<td>{bar}</td>"]
        )
    text = (
        "<p>Where sureness fits, the share of hits grows from line to line. These come from the "
        "students' own machines: they are not graded.</p>"
    )
    return _table("Predictions: how sure, and how often right", ["how sure", "predictions", "hits",
                  "share", ""], rows) + text  # fmt: skip


def _trouble(summary: Summary) -> str:
    if not summary.trouble:
        return "<h2>Trouble</h2><p>Every notebook ran to its end, as it was handed out.</p>"
    rows = [[_td(student), _td(text)] for student, text in summary.trouble]
    return _table("Notebooks that stopped, ran out of time, or were put right", ["student", "what"],
                  rows)  # fmt: skip


def _alike(pairs: Sequence[Pair]) -> str:
    if not pairs:
        return "<h2>Alike reasons</h2><p>No two texts share more than the question's words.</p>"
    parts = [
        "<h2>Alike reasons</h2>",
        "<p>These texts share runs of words that neither the question nor the rest of the class "
        "has. Working together, a common source or a copy all look like this: ask before you "
        "conclude.</p>",
    ]
    for pair in pairs:
        parts.append(
            f"<h3>{escape(pair.exercise)}: {pair.shared} of {pair.of} runs of four words</h3>"
            '<div class="pair">'
            + "".join(
                f"<div><strong>{escape(student)}</strong><blockquote>{escape(text)}</blockquote></div>"
                for student, text in zip(pair.students, pair.texts, strict=True)
            )
            + "</div>"
        )
    return "\n".join(parts)


def _table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    heads = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>\n{body}\n</tbody></table>"
    )


def _td(text: str) -> str:
    return f"<td>{escape(str(text))}</td>"
