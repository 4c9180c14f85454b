"""The frame of a report: one HTML page with its style, which asks the network for nothing."""

from __future__ import annotations

from html import escape

_STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f7f8; --card: #ffffff; --ink: #1b1f24; --muted: #59636e; --rule: #dfe3e8;
  --series: #2468c9; --area: #2468c926;
  --good: #1a7f4b; --warn: #96600a; --bad: #bf2f26;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #111418; --card: #1a1e24; --ink: #e7eaee; --muted: #9ba5b0; --rule: #2e353d;
    --series: #6ea8ff; --area: #6ea8ff2e;
    --good: #4cc38a; --warn: #e2a63f; --bad: #ff8379;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; padding: 32px 24px 48px; background: var(--page); color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
main {
  max-width: 1180px; margin: 0 auto;
  display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr);
}
h1 { margin: 0; font-size: 24px; overflow-wrap: anywhere; }
h2 { margin: 0 0 10px; font-size: 15px; font-weight: 600; }
h2 small { font-weight: 400; color: var(--muted); }
header { display: flex; flex-wrap: wrap; gap: 4px 14px; align-items: baseline; }
header p { margin: 0; flex-basis: 100%; color: var(--muted); overflow-wrap: anywhere; }
.status { font-weight: 600; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.card { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; padding: 16px; }
.reason { border-left: 4px solid currentColor; overflow-wrap: anywhere; }
.reason span { color: var(--ink); }
.tiles { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); }
.tiles b {
  display: block; font-size: 21px; white-space: nowrap; font-variant-numeric: tabular-nums;
}
.tiles span { color: var(--muted); font-size: 13px; }
.charts { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 12px; fill: var(--muted); font-variant-numeric: tabular-nums; }
.grid { stroke: var(--rule); }
.line { fill: none; stroke: var(--series); stroke-width: 2; stroke-linejoin: round; }
.area { fill: var(--area); }
.bar { fill: var(--series); }
.nothing { color: var(--muted); margin: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; min-width: 620px; font-size: 14px; }
th, td { text-align: left; vertical-align: top; padding: 6px 14px 6px 0; overflow-wrap: anywhere; }
th { color: var(--muted); font-weight: 600; white-space: nowrap; }
tr + tr > * { border-top: 1px solid var(--rule); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
@media (max-width: 520px) {
  body { padding: 16px 12px; }
  .charts { grid-template-columns: minmax(0, 1fr); }
  .tiles { grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
}
@media print { body { background: none; } .card { break-inside: avoid; } }
"""

# Whatever data might smuggle in: no script runs, and nothing is fetched.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def page(title: str, body: str) -> str:
    """A whole page.

    Args:
        title: Text.
        body: HTML, in which data is escaped already.
    """
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def card(heading: str, note: str, content: str) -> str:
    """A box.

    Args:
        heading: Text.
        note: Text behind it, or "".
        content: HTML.
    """
    small = f" <small>{escape(note)}</small>" if note else ""
    return f'<section class="card"><h2>{escape(heading)}{small}</h2>\n{content}</section>'


def tile(value: str, label: str, tone: str = "") -> str:
    """A number with what it is, both texts; and the class of the number's colour."""
    b = f'<b class="{tone}">' if tone else "<b>"
    return f'<div class="card">{b}{escape(value)}</b><span>{escape(label)}</span></div>'


def table(columns: list[tuple[str, bool]], rows: list[list[str]]) -> str:
    """A table of texts; of each column its name, and whether it holds numbers."""
    kinds = [' class="number"' if is_number else "" for _, is_number in columns]
    head = "".join(
        f"<th{kind}>{escape(name)}</th>" for (name, _), kind in zip(columns, kinds, strict=True)
    )
    lines = [
        "".join(f"<td{kind}>{escape(cell)}</td>" for cell, kind in zip(row, kinds, strict=True))
        for row in rows
    ]
    body = "\n".join(f"<tr>{line}</tr>" for line in lines)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table>'
        "</div>"
    )
