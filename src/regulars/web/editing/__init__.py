"""The builder: a query as rows of form fields and back, for the segment editor.

The query text stays the truth: rows are written as text, text is read by the language, and what the
rows cannot show stands in a row of its own as text, so that nothing is ever lost.
"""

from regulars.web.editing.changes import changed
from regulars.web.editing.choices import attribute_choices, operator_choices
from regulars.web.editing.form import read_rows
from regulars.web.editing.notes import Note, notes_on, row_notes
from regulars.web.editing.offers import Offer, completions, offers
from regulars.web.editing.reading import rows_of
from regulars.web.editing.rows import Condition, Detail, Group
from regulars.web.editing.view import view_of
from regulars.web.editing.writing import Written, written

__all__ = [
    "Condition",
    "Detail",
    "Group",
    "Note",
    "Offer",
    "Written",
    "attribute_choices",
    "changed",
    "completions",
    "notes_on",
    "offers",
    "operator_choices",
    "read_rows",
    "row_notes",
    "rows_of",
    "view_of",
    "written",
]
