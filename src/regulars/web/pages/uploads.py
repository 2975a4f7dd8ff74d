"""The way of a CSV file in four steps: file, columns, check, save; and the uploads of a segment.

Each step is a page of its own under the upload's number, so that a reload, or tomorrow, goes on
where it was. Nothing of a list changes before the last step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import UploadFile
from starlette.responses import Response

from regulars.errors import InputError, UploadError, problem
from regulars.office.models.jobs import Job
from regulars.office.models.segments import Segment
from regulars.office.models.uploads import Upload
from regulars.segments import find_segment, uploads
from regulars.segments.exporting import list_rows
from regulars.segments.keys import calling_code
from regulars.warehouse.lists import CheckedRow, ListRows
from regulars.web.deps import SignedIn, Visit, field_messages
from regulars.web.files import csv_file, customers_file
from regulars.web.i18n import N_

router = APIRouter(prefix="/segments")

STEPS = {
    "file": N_("File"),
    "columns": N_("Columns"),
    "check": N_("Check"),
    "save": N_("Save"),
}
ENCODINGS = {
    "": N_("Detected automatically"),
    "utf-8": N_("UTF-8"),
    "cp932": N_("Shift_JIS (CP932)"),
    "utf-16": N_("UTF-16"),
}
KINDS = {
    "": N_("Ignored"),
    "id": N_("Customer ID"),
    "email": N_("E-mail address"),
    "phone": N_("Phone number"),
}
OUTCOMES = {
    "matched": N_("Matched"),
    "duplicate": N_("Duplicates"),
    "not_found": N_("Not found"),
    "ambiguous": N_("Ambiguous"),
    "invalid": N_("Cannot be read"),
}
OUTCOME_NOTES = {
    "matched": N_("customers of this shop"),
    "duplicate": N_("the same customer again"),
    "not_found": N_("join when that customer appears"),
    "ambiguous": N_("fit more than one customer"),
    "invalid": N_("left out"),
}
#: Why a row cannot be read, and what to do about it.
REASONS = {
    "no_key": (
        N_("The row has no customer ID, e-mail or phone."),
        N_("Fill one of them in, or leave the row out."),
    ),
    "columns": (
        N_("The row has more or fewer values than the file has columns."),
        N_("Look for a separator inside a value; put such values in quotation marks."),
    ),
    "id_form": (
        N_("This is not a Shopify customer ID."),
        N_("An ID is a number like 7012345678901, or gid://shopify/Customer/…"),
    ),
    "id_rounded": (
        N_("A spreadsheet has shortened this ID, so its last digits are lost."),
        N_("Export the file again and keep the column as text."),
    ),
    "email_form": (
        N_("This is not an e-mail address."),
        N_("Write it as name@example.com."),
    ),
    "phone_form": (
        N_("This is not a phone number."),
        N_("Write it with the country, as +81 90 1234 5678."),
    ),
    "phone_start": (
        N_("The phone number begins neither with + nor with 0, so its country is not known."),
        N_("A spreadsheet may have dropped the 0 in front. Write it as +81 90 1234 5678."),
    ),
}
MODES = {
    "replace": (N_("Replace"), N_("The list becomes what the file says.")),
    "add": (N_("Add"), N_("Customers of the file come onto the list; nobody leaves.")),
    "remove": (N_("Remove"), N_("Customers of the file leave the list; nobody comes.")),
}
MODE_NAMES = {mode: name for mode, (name, _about) in MODES.items()}
PREVIEW_ROWS = 5
PROBLEM_ROWS = 100


@dataclass(frozen=True)
class Problem:
    """A row that is no member, as it is told."""

    line: int
    outcome: str
    shown: str
    why: str
    advice: str


@router.get("/upload")
def show_start(visit: SignedIn) -> Response:
    """Show where a file is given; `segment` is the csv segment that it is for."""
    return _start_page(visit, visit.request.query_params.get("segment", ""))


@router.post("/upload")
def start(visit: SignedIn) -> Response:
    """Receive a file."""
    wanted = visit.field("segment")
    given = visit.fields.get("file")
    try:
        if not isinstance(given, UploadFile) or not given.filename:
            text = "Choose a CSV file first."
            raise UploadError(problem("no_file_chosen", text, field="file"))
        upload = uploads.receive(
            visit.jobs.uploads(visit.shop),
            given.file,
            file_name=given.filename,
            author=visit.author,
            now=visit.now,
            segment=_segment(visit, wanted),
        )
    except InputError as wrong:
        return _start_page(visit, wanted, wrong)
    finally:
        if isinstance(given, UploadFile):
            given.file.close()
    return visit.go(f"/segments/upload/{upload.id}/file")


@router.get("/upload/{upload_id:int}")
def resume(visit: SignedIn, upload_id: int) -> Response:
    """Go on where the upload stands."""
    upload = _find(visit, upload_id)
    steps = {"received": "file", "failed": "columns", "checking": "check", "checked": "check"}
    if upload.state in steps:
        return visit.go(f"/segments/upload/{upload_id}/{steps[upload.state]}")
    return visit.go(_list_page(upload))


@router.get("/upload/{upload_id:int}/file")
def show_file(visit: SignedIn, upload_id: int) -> Response:
    """Show what was received: encoding, separator, the first rows."""
    return _file_page(visit, _find(visit, upload_id))


@router.post("/upload/{upload_id:int}/file")
def choose_encoding(visit: SignedIn, upload_id: int) -> Response:
    """Read the file in another encoding, and show it again or go on."""
    wished = visit.field("encoding")
    upload = _find(visit, upload_id)
    if wished != upload.wished_encoding:
        try:
            parts = visit.jobs.uploads(visit.shop)
            wished = wished if wished in ENCODINGS else ""
            uploads.choose_encoding(parts, upload_id, wished)
        except InputError as wrong:
            return _file_page(visit, upload, wrong)
        return visit.go(f"/segments/upload/{upload_id}/file")
    return visit.go(f"/segments/upload/{upload_id}/columns")


@router.get("/upload/{upload_id:int}/columns")
def show_columns(visit: SignedIn, upload_id: int) -> Response:
    """Show the columns with examples and what they hold."""
    return _columns_page(visit, _find(visit, upload_id))


@router.post("/upload/{upload_id:int}/columns")
def choose_columns(visit: SignedIn, upload_id: int) -> Response:
    """Say what the columns hold, and have the rows checked."""
    upload = _find(visit, upload_id)
    columns = [visit.field(f"column-{number}") for number in range(len(upload.header))]
    try:
        with visit.office() as session:
            uploads.begin_check(session, visit.shop, upload_id, columns)
            visit.jobs.check_upload_later(session, visit.shop, upload_id)
    except InputError as wrong:
        return _columns_page(visit, upload, wrong, columns)
    return visit.go(f"/segments/upload/{upload_id}/check")


@router.get("/upload/{upload_id:int}/check")
def show_check(visit: SignedIn, upload_id: int) -> Response:
    """Show what became of the rows; while they are checked, how far that is."""
    upload = _find(visit, upload_id)
    if upload.state == "received":
        return visit.go(f"/segments/upload/{upload_id}/columns")
    if upload.state in {"applied", "undone", "discarded"}:
        return visit.go(_list_page(upload))
    outcome = visit.request.query_params.get("outcome", "")
    outcome = outcome if outcome in OUTCOMES and outcome != "matched" else ""
    is_checking = upload.state == "checking"
    if visit.is_fragment and is_checking:
        return Response(status_code=204)
    values = {
        **_step_values(visit, upload, "check"),
        "outcomes": OUTCOMES,
        "outcome_notes": OUTCOME_NOTES,
        "outcome": outcome,
        "is_checking": is_checking,
        "rows": [] if upload.state != "checked" else _problems(visit, upload, outcome),
        "most": PROBLEM_ROWS,
        "row_count": sum(upload.counts.values()),
        "usable": sum(upload.counts.get(one, 0) for one in ("matched", "not_found", "ambiguous")),
    }
    template = "uploads/checked.html" if visit.is_fragment else "uploads/check.html"
    return visit.page(template, **values)


@router.get("/upload/{upload_id:int}/rows.csv")
def problem_rows(visit: SignedIn, upload_id: int) -> Response:
    """Send the rows that are no members as a file, with reasons."""
    upload = _find(visit, upload_id)
    heads = (N_("Line"), N_("Outcome"), N_("Row"), N_("Reason"), N_("Suggestion"))

    def lines() -> Any:
        yield [visit.say(head) for head in heads]
        after, page = 0, _checked(visit, upload, "", 0, 1000)
        while page:
            for one in _told(visit, page):
                outcome = visit.say(OUTCOMES[one.outcome])
                yield [str(one.line), outcome, one.shown, one.why, one.advice]
            after = page[-1].line
            page = _checked(visit, upload, "", after, 1000)

    return customers_file(visit, visit.shop, f"{upload.file_name}-rows", lines())


@router.get("/upload/{upload_id:int}/save")
def show_save(visit: SignedIn, upload_id: int) -> Response:
    """Show the last step: the name of a new segment, or what happens to the list."""
    upload = _find(visit, upload_id)
    if upload.state != "checked":
        return visit.go(f"/segments/upload/{upload_id}")
    return _save_page(visit, upload)


@router.post("/upload/{upload_id:int}/save")
def save(visit: SignedIn, upload_id: int) -> Response:
    """Make the segment, or change its list."""
    upload = _find(visit, upload_id)
    begun: list[Job] = []
    try:
        upload, segment = uploads.apply_upload(
            visit.jobs.uploads(visit.shop),
            upload_id,
            author=visit.author,
            now=visit.now,
            name=visit.field("name"),
            mode=visit.field("mode", "replace"),
            later=lambda session, one: begun.append(
                visit.jobs.refresh_segment_soon(session, visit.shop, one.id, "created")
            ),
        )
    except InputError as wrong:
        return _save_page(visit, upload, wrong)
    visit.jobs.work_here(*begun)
    address = f"/segments/{segment.id}"
    return visit.go(address, visit.say("“{name}” is up to date.", name=segment.name))


@router.post("/upload/{upload_id:int}/discard")
def discard(visit: SignedIn, upload_id: int) -> Response:
    """Forget an upload that was not applied."""
    upload = uploads.discard(visit.jobs.uploads(visit.shop), upload_id)
    toast = visit.say("The upload of “{file}” was discarded.", file=upload.file_name)
    return visit.go("/segments/upload", toast)


@router.get("/upload/sample.csv")
def sample(visit: SignedIn) -> Response:  # noqa: ARG001 - for signed-in people only
    """Send a small file as it could be."""
    rows = [
        ("Email", "Note"),
        ("ana@example.com", "front row"),
        ("bo@example.com", ""),
    ]
    return csv_file("sample", rows)


@router.get("/{segment_id:int}/uploads")
def show_uploads(visit: SignedIn, segment_id: int) -> Response:
    """Show the uploads of a csv segment and what waits for its customer."""
    visit.note_look()
    segment, list_id = _csv_segment(visit, segment_id)
    with visit.runtime.office.reading() as session:
        listed = uploads.uploads_of(session, visit.shop, list_id)
    with visit.runtime.warehouse(visit.shop).reader() as cursor:
        rows = ListRows(cursor)
        waiting_count = rows.count_waiting(list_id)
        waiting = rows.waiting_page(list_id, 20)
    return visit.page(
        "uploads/of_segment.html",
        segment=segment,
        uploads=listed,
        can_undo=bool(listed) and listed[0].state == "applied" and listed[0].id != list_id,
        first_id=list_id,
        waiting=waiting,
        waiting_count=waiting_count,
        mode_names=MODE_NAMES,
    )


@router.get("/{segment_id:int}/uploads/undo")
def show_undo(visit: SignedIn, segment_id: int) -> Response:
    """Show the dialog that asks again."""
    segment, list_id = _csv_segment(visit, segment_id)
    with visit.runtime.office.reading() as session:
        last = uploads.uploads_of(session, visit.shop, list_id)[0]
    back = f"/segments/{segment_id}/uploads"
    return visit.dialog("uploads/undo.html", segment=segment, last=last, back=back)


@router.post("/{segment_id:int}/uploads/undo")
def undo(visit: SignedIn, segment_id: int) -> Response:
    """Take the last upload back."""
    segment, list_id = _csv_segment(visit, segment_id)
    back = f"/segments/{segment_id}/uploads"
    try:
        uploads.undo_upload(
            visit.jobs.uploads(visit.shop), segment, author=visit.author, now=visit.now
        )
    except InputError as wrong:
        with visit.runtime.office.reading() as session:
            last = uploads.uploads_of(session, visit.shop, list_id)[0]
        return visit.dialog(
            "uploads/undo.html",
            status=409,
            segment=segment,
            last=last,
            back=back,
            problems=visit.problems(wrong),
        )
    return visit.go(back, visit.say("The last upload was taken back."))


@router.get("/{segment_id:int}/list.csv")
def whole_list(visit: SignedIn, segment_id: int) -> Response:
    """Send the list of a csv segment, rows that wait included: uploaded again it is the same."""
    segment, list_id = _csv_segment(visit, segment_id)
    rows = list_rows(visit.runtime.warehouse(visit.shop), list_id)
    return customers_file(visit, visit.shop, segment.name, rows, waiting=True)


def _start_page(visit: Visit, wanted: str, wrong: InputError | None = None) -> Response:
    with visit.runtime.office.reading() as session:
        waiting = uploads.unfinished(session, visit.shop)
    return visit.page(
        "uploads/start.html",
        status=422 if wrong else 200,
        **_frame(visit, None, _segment(visit, wanted), "file"),
        unfinished=waiting,
        megabytes=uploads.BYTES_MAX // 1024**2,
        rows_max=uploads.ROWS_MAX,
        problems=visit.problems(wrong) if wrong else (),
    )


def _file_page(visit: Visit, upload: Upload, wrong: InputError | None = None) -> Response:
    looks = uploads.look_again(visit.jobs.uploads(visit.shop), upload)
    return visit.page(
        "uploads/file.html",
        status=422 if wrong else 200,
        **_step_values(visit, upload, "file"),
        looks=looks,
        rows=looks.rows[:PREVIEW_ROWS],
        column_heads=[(name, "") for name in looks.header],
        encodings=[(key, visit.say(text)) for key, text in ENCODINGS.items()],
        encoding_name=visit.say(ENCODINGS[looks.encoding]),
        separator_name=visit.say(_SEPARATORS[looks.separator]),
        problems=visit.problems(wrong) if wrong else (),
    )


def _columns_page(
    visit: Visit,
    upload: Upload,
    wrong: InputError | None = None,
    columns: Sequence[str] = (),
) -> Response:
    looks = uploads.look_again(visit.jobs.uploads(visit.shop), upload)
    good = [row.values for row in looks.rows if row.reason is None]
    return visit.page(
        "uploads/columns.html",
        status=422 if wrong else 200,
        **_step_values(visit, upload, "columns"),
        columns=[
            {
                "name": name,
                "examples": [row[place] for row in good if row[place].strip()][:3],
                "kind": (columns or upload.columns)[place],
            }
            for place, name in enumerate(upload.header)
        ],
        kinds=[(key, visit.say(text)) for key, text in KINDS.items()],
        calling_code=calling_code(visit.shop.currency),
        problems=visit.problems(wrong) if wrong else (),
    )


def _save_page(visit: Visit, upload: Upload, wrong: InputError | None = None) -> Response:
    told = field_messages(visit.problems(wrong)) if wrong else {}
    name = upload.file_name.rpartition(".")[0] or upload.file_name
    return visit.page(
        "uploads/save.html",
        status=422 if wrong else 200,
        **_step_values(visit, upload, "save"),
        effects=uploads.effects(visit.jobs.uploads(visit.shop), upload),
        modes=MODES,
        mode=visit.field("mode", "replace"),
        name=visit.field("name", name),
        told=told,
    )


def _step_values(visit: Visit, upload: Upload, step: str) -> dict[str, Any]:
    wanted = str(upload.segment_id) if upload.segment_id else ""
    return _frame(visit, upload, _segment(visit, wanted), step)


def _frame(
    visit: Visit, upload: Upload | None, segment: Segment | None, step: str
) -> dict[str, Any]:
    """Return what each step shows: which step it is, and which may be gone to."""
    order = list(STEPS)
    reached = {"received": 1, "failed": 1, "checking": 2, "checked": 3}
    furthest = reached.get(upload.state, 0) if upload else 0
    return {
        "upload": upload,
        "segment": segment,
        "step": step,
        "steps": [
            {
                "key": key,
                "text": visit.say(STEPS[key]),
                "is_done": number < order.index(step),
                "address": f"/segments/upload/{upload.id}/{key}"
                if upload and number <= furthest
                else "",
            }
            for number, key in enumerate(order)
        ],
    }


def _problems(visit: Visit, upload: Upload, outcome: str) -> Sequence[Problem]:
    return _told(visit, _checked(visit, upload, outcome, 0, PROBLEM_ROWS))


def _checked(
    visit: Visit, upload: Upload, outcome: str, after: int, most: int
) -> Sequence[CheckedRow]:
    with visit.runtime.warehouse(visit.shop).reader() as cursor:
        rows = ListRows(cursor)
        return rows.checked_page(upload.id, outcome=outcome or None, after=after, most=most)


def _told(visit: Visit, page: Sequence[CheckedRow]) -> Sequence[Problem]:
    keys = [
        key
        for row in page
        if row.outcome == "ambiguous"
        for key in (row.email_key, row.phone_key)
        if key
    ]
    people: Mapping[str, Sequence[str]] = {}
    if keys:
        with visit.runtime.warehouse(visit.shop).reader() as cursor:
            people = ListRows(cursor).same_people(keys)
    return [_problem(visit, row, people) for row in page]


def _problem(visit: Visit, row: CheckedRow, people: Mapping[str, Sequence[str]]) -> Problem:
    say = visit.say
    why, advice = "", ""
    if row.outcome == "invalid":
        told = REASONS[row.reason or "no_key"]
        why, advice = say(told[0]), say(told[1])
    elif row.outcome == "ambiguous":
        ids = people.get(row.email_key or "") or people.get(row.phone_key or "") or ()
        why = say("Several customers have it: {ids}", ids=say.listed(list(ids)[:5]))
        advice = say("Write the customer ID instead, or merge the customers in Shopify.")
    elif row.outcome == "duplicate":
        why = say("An earlier row is the same customer.")
    else:
        why = say("No customer of this shop has it.")
        advice = say("The row waits and joins by itself when that customer appears.")
    return Problem(row.line, row.outcome, row.shown or "", why, advice)


def _find(visit: Visit, upload_id: int) -> Upload:
    # Each page of an upload shows rows of its file.
    visit.note_look()
    with visit.runtime.office.reading() as session:
        return uploads.find_upload(session, visit.shop, upload_id)


def _segment(visit: Visit, wanted: str) -> Segment | None:
    if not wanted:
        return None
    with visit.runtime.office.reading() as session:
        segment = find_segment(session, visit.shop, wanted)
        uploads.list_of(session, visit.shop, segment)
    return segment


def _csv_segment(visit: Visit, segment_id: int) -> tuple[Segment, int]:
    with visit.runtime.office.reading() as session:
        segment = find_segment(session, visit.shop, segment_id)
        return segment, uploads.list_of(session, visit.shop, segment).id


def _list_page(upload: Upload) -> str:
    return f"/segments/{upload.segment_id}/uploads" if upload.segment_id else "/segments/upload"


_SEPARATORS = {",": N_("commas"), ";": N_("semicolons"), "\t": N_("tabs")}
