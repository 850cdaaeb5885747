"""The CSV format for vote exports: the columns, and the escaping of texts that look like formulas.

This module uses only the standard library, because the bot also exports votes and must not load pandas.
"""

import re
from typing import Final

# Spreadsheets treat a cell that begins with one of these characters as a formula. The last four are fullwidth forms.
_FORMULA_PREFIXES: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
# The columns of a vote export. Formulas in a vote export are escaped.
EXPORT_COLUMNS: Final = ("text", "label", "person", "state")
# The last column of an export. Exports from earlier versions lack it.
REASON_COLUMN: Final = "reason"
# As in RFC 4180. The csv module quotes fields that contain any character from the line end, including a carriage
# return.
LINE_END: Final = "\r\n"


def escape_formula(text: str) -> str:
    """Prefix ``text`` with an apostrophe if a spreadsheet would treat it as a formula, unless it is just a number.

    A text that already looks escaped gets another apostrophe, so that ``unescape_formula`` can restore every text.
    """
    is_formula = text.lstrip("'").startswith(_FORMULA_PREFIXES) and not _NUMBER.fullmatch(text)
    return f"'{text}" if is_formula else text


def unescape_formula(text: str) -> str:
    """Undo ``escape_formula``."""
    return text[1:] if text.startswith("'") and text.lstrip("'").startswith(_FORMULA_PREFIXES) else text
