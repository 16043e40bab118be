"""Forms of a report beside the PDF: a page of HTML to print, and a workbook."""

from html import escape

from gateway.register.sheets import write_table
from gateway.report.blocks import Cell, Report

STYLE = (
    "body{font:14px/1.5 'Noto Sans CJK SC','Noto Sans SC','Microsoft YaHei',sans-serif;"
    "max-width:60em;margin:2em auto;padding:0 1em}"
    "h1{font-size:22px}h2{font-size:16px;margin:1.5em 0 .3em}table{border-collapse:collapse;width:100%}"
    "td,th{border:1px solid #999;padding:3px 8px;text-align:left;overflow-wrap:break-word}"
    "td.n{text-align:right}.note{color:#555}"
)


def html_of(report: Report) -> str:
    """Write a page that needs nothing from anywhere else."""

    def cell(value: Cell) -> str:
        kind = ' class="n"' if isinstance(value, int | float) else ""
        return f"<td{kind}>{escape(str(value))}</td>"

    title, tongue = escape(report.title), "zh-CN" if report.language == "zh" else "en"
    head = f'<!doctype html><html lang="{tongue}"><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    parts = [head, f"<h1>{title}</h1>", *(f"<p>{escape(line)}</p>" for line in report.lines)]
    for block in report.blocks:
        parts.append(f"<h2>{escape(block.heading)}</h2>")
        if block.note:
            parts.append(f'<p class="note">{escape(block.note)}</p>')
        names = "".join(f'<th scope="col">{escape(one)}</th>' for one in block.header)
        rows = "".join(f"<tr>{''.join(cell(value) for value in row)}</tr>" for row in block.rows)
        parts.append(f"<table><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>")
    return "".join([*parts, "</html>"])


def workbook_of(report: Report) -> bytes:
    """Write a workbook: the tables one below the other."""
    lines: list[list[Cell]] = [[report.title]]
    lines += [[line] for line in report.lines]
    for block in report.blocks:
        lines += [[""], [block.heading]]
        if block.note:
            lines.append([block.note])
        lines.append(list(block.header))
        lines += [list(row) for row in block.rows]
    return write_table("report", lines, "report.xlsx", report.language)
