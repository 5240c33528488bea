#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause
"""man.py PAGE SECTION PROGRAM OPTION: a man page, on standard output, of what the program itself says.

OPTION --help gives a page of options, --help-config one of keys: texts and tables of the program are the source
of both, so that pages cannot disagree with it.
"""

import re
import subprocess
import sys

TITLES = {"transitd": "transit router", "transitctl": "ask a running transitd",
          "transitd.yaml": "startup file of transitd"}
SEE_ALSO = {"transitd": "transitd.yaml(5), transitctl(1)", "transitctl": "transitd(8), transitd.yaml(5)",
            "transitd.yaml": "transitd(8), transitctl(1)"}


def roff(text):
    """Plain text or markdown of one line as roff."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    text = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", text)
    return "\\&" + text if text.startswith((".", "'")) else text


def options(lines):
    """Usage, paragraphs and aligned options as --help prints them."""
    out, usage = [], [line[len("usage: "):] for line in lines if line.startswith("usage: ")]
    out += [".SH SYNOPSIS", ".nf", *map(roff, usage), ".fi", ".SH DESCRIPTION"]
    indented = False
    for line in lines:
        option = re.match(r"^ {2,6}(-{1,2}\S.*?)(?:  +(.*))?$", line) or re.match(r"^ {2}(\S.*?) {2,}(.*)$", line)
        more = re.match(r"^ {10,}(\S.*)$", line)
        if line.startswith("usage: "):
            continue
        if option:
            out += [".TP", "\\fB" + roff(option.group(1)) + "\\fR", roff(option.group(2) or "")]
        elif more:
            out.append(roff(more.group(1)))
        elif re.match(r"^ {2}\S", line):
            out += [".br", roff(line.strip())]
        elif out and line.strip() and indented:
            out += [".PP", roff(line)]
        else:
            out.append(roff(line) if line.strip() else ".PP")
        indented = line.startswith(" ")
    return out


def keys(lines):
    """The markdown of --help-config: headings, paragraphs, tables."""
    out, columns = [".SH DESCRIPTION"], []
    for line in lines:
        cells = [c.strip().replace("\\|", "|") for c in re.split(r"(?<!\\)\|", line)[1:-1]] if line.startswith("|") else []
        if line.startswith("# ") or re.match(r"^\|[-|]+$", line):
            continue
        if line.startswith("## "):
            out.append('.SH "' + roff(line[3:]).upper() + '"')
        elif line.startswith("### "):
            out.append('.SS "' + roff(line[4:]) + '"')
        elif cells and cells[0] == "Key":
            columns = cells
        elif cells:
            out += [".TP", roff(cells[0]), roff(cells[3]) + ".", ".br",
                    roff(f"{cells[1]}; default: {cells[2]}") + "".join(
                        f"; {roff(name.lower())}: {roff(cell)}" for name, cell in zip(columns[4:], cells[4:]))]
        else:
            out.append(roff(line) if line.strip() else ".PP")
    return out


def main():
    page, section, program, option = sys.argv[1:]
    lines = subprocess.run([program, option], capture_output=True, text=True, check=True).stdout.splitlines()
    body = keys(lines) if option == "--help-config" else options(lines)
    pages = ['.\\" SPDX-License-Identifier: BSD-3-Clause', f'.TH "{page.upper()}" "{section}" "" "transitd" "transitd"',
             ".SH NAME", f"{page} \\- {TITLES[page]}", *body, ".SH SEE ALSO", SEE_ALSO[page]]
    # a paragraph macro in front of another one, or at the end, means nothing
    kept = [line for i, line in enumerate(pages)
            if line and not (line == ".PP" and (i + 1 == len(pages) or pages[i + 1].startswith((".PP", ".SH", ".SS", ".TP"))
                                                or pages[i - 1].startswith((".SH", ".SS"))))]
    print("\n".join(kept))


if __name__ == "__main__":
    main()
