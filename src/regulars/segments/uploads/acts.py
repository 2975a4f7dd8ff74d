"""What a person does with an upload: receive, map, check, apply, undo, discard.

The file lies beside the shops' files until the upload is applied or discarded. The warehouse's
commit comes before the office's: a stop between the two leaves an upload that can be applied again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import IO, Final, cast, get_args

from pyroaring import BitMap
from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.errors import (
    ConflictError,
    InputError,
    LimitError,
    NotFoundError,
    UploadError,
    problem,
)
from regulars.language import parse, print_query
from regulars.language.tree import Filter, Operator, Text
from regulars.office import Office, Shop
from regulars.office.models.segments import Segment
from regulars.office.models.uploads import CsvList, Upload
from regulars.segments.definitions import (
    create_segment,
    definitions,
    free_list_name,
    free_name,
)
from regulars.segments.graph import list_references
from regulars.segments.keys import calling_code
from regulars.segments.memberships import Memberships
from regulars.segments.names import checked_name, name_key
from regulars.segments.refresh import record_changes
from regulars.segments.uploads.reading import (
    BYTES_MAX,
    PART_ROWS,
    Looks,
    Progress,
    Reading,
    checked_columns,
    look,
    write_keys,
)
from regulars.warehouse import Warehouse
from regulars.warehouse.lists import ListRows, Mode

OUTCOMES: Final = ("matched", "duplicate", "not_found", "ambiguous", "invalid")
MODES: Final[tuple[Mode, ...]] = get_args(Mode)
#: An upload that nobody went on with is forgotten after so long: it holds personal data.
UNFINISHED_KEPT: Final = timedelta(days=7)
_CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Parts:
    """What uploads work with, of one shop."""

    office: Office
    warehouse: Warehouse
    memberships: Memberships
    shop: Shop
    #: Where files lie until they are applied.
    folder: Path
    #: A larger file is refused.
    bytes_max: int = BYTES_MAX
    #: So many rows of a file are matched at a time.
    part_rows: int = PART_ROWS

    @property
    def incoming(self) -> Path:
        """The only folder that the warehouse may read from."""
        return self.warehouse.path.parent / "incoming"

    def file(self, upload: Upload) -> Path:
        """Return where the file of an upload lies."""
        return self.folder / f"{upload.id}.csv"


@dataclass(frozen=True, slots=True)
class Effect:
    """What one way of applying an upload would do to its list."""

    joined: int
    left: int
    waiting_added: int
    waiting_removed: int

    @property
    def is_nothing(self) -> bool:
        """Whether the list would stay as it is."""
        return not (self.joined or self.left or self.waiting_added or self.waiting_removed)


def receive(
    parts: Parts,
    source: IO[bytes],
    *,
    file_name: str,
    author: str,
    now: datetime,
    segment: Segment | None = None,
    encoding: str = "",
) -> Upload:
    """Keep a file and find out what it looks like; raises UploadError where it cannot be read.

    `segment` is the csv segment that it is for; without one it is for a new list.
    """
    forget_unfinished(parts, now)
    parts.folder.mkdir(exist_ok=True, mode=0o700)
    waiting = parts.folder / f"{secrets.token_hex(8)}.part"
    name = Path(file_name.replace("\\", "/")).name[:255] or "upload.csv"
    try:
        _copy(source, waiting, parts.bytes_max)
        looks = _looks(parts, waiting, encoding, name)
        with parts.office.session() as session:
            upload = Upload(
                shop_id=parts.shop.id,
                list_id=list_of(session, parts.shop, segment).id if segment else None,
                segment_id=segment.id if segment else None,
                state="received",
                file_name=name,
                wished_encoding=encoding,
                encoding=looks.encoding,
                separator=looks.separator,
                header=list(looks.header),
                columns=list(looks.guess),
                counts={},
                effect={},
                author=author,
                created_at=now,
            )
            session.add(upload)
            session.flush()
            waiting.rename(parts.file(upload))
    finally:
        waiting.unlink(missing_ok=True)
    return upload


def look_again(parts: Parts, upload: Upload) -> Looks:
    """Return what the file of an upload looks like."""
    _demand(upload, "received", "checked", "failed", "checking")
    return _looks(parts, parts.file(upload), upload.wished_encoding, upload.file_name)


def choose_encoding(parts: Parts, upload_id: int, encoding: str) -> Upload:
    """Read the file in another encoding from now on; "" finds it by trial."""
    with parts.office.reading() as session:
        upload = find_upload(session, parts.shop, upload_id)
    _demand(upload, "received", "checked", "failed")
    looks = _looks(parts, parts.file(upload), encoding, upload.file_name)
    with parts.office.session() as session:
        upload = find_upload(session, parts.shop, upload_id)
        upload.wished_encoding, upload.encoding = encoding, looks.encoding
        upload.separator, upload.header = looks.separator, list(looks.header)
        if len(upload.columns) != len(looks.header) or not any(upload.columns):
            upload.columns = list(looks.guess)
        upload.state, upload.problem, upload.counts = "received", None, {}
    return upload


def begin_check(session: Session, shop: Shop, upload_id: int, columns: Sequence[str]) -> Upload:
    """Say what the columns hold and have the rows checked; the caller starts `run_check`."""
    upload = find_upload(session, shop, upload_id)
    _demand(upload, "received", "checked", "failed")
    upload.columns = list(checked_columns(columns, upload.header))
    upload.state, upload.problem, upload.counts = "checking", None, {}
    return upload


def run_check(
    parts: Parts, upload_id: int, progress: Progress = lambda _done, _whole: None
) -> None:
    """Find out whom each row stands for. What is wrong with the file is kept with the upload."""
    with parts.office.reading() as session:
        upload = find_upload(session, parts.shop, upload_id)
    if upload.state != "checking":
        return
    code = calling_code(parts.shop.currency)
    reading = Reading(tuple(upload.columns), parts.shop.kind == "shopify", code)
    wrong, counts = None, {}
    part_name = f"upload-{upload.id}.{{}}.csv"

    def part(number: int) -> Path:
        return parts.incoming / part_name.format(number)

    def is_checked() -> bool:
        file = parts.file(upload)
        read = _edition(file)
        written = write_keys(
            file,
            part,
            reading,
            encoding=upload.wished_encoding,
            progress=progress,
            part_rows=parts.part_rows,
        )
        for step in _check_steps(upload.id, [part(number) for number in range(written)], code):
            # A transaction each: memory is that of one part, and others may write in between.
            with parts.warehouse.transaction(changes_facts=False) as cursor:
                # Somebody's rows were taken out meanwhile: the keys in hand may still be theirs.
                if _edition(file) != read:
                    return False
                step(ListRows(cursor))
        return True

    try:
        while not is_checked():
            pass
        with parts.warehouse.reader() as cursor:
            counts = ListRows(cursor).counts(upload.id)
    except InputError as error:
        wrong = str(_named(error, parts.file(upload), upload.file_name))
    finally:
        for left in parts.incoming.glob(part_name.format("*")):
            left.unlink(missing_ok=True)
    with parts.office.session() as session:
        kept = find_upload(session, parts.shop, upload_id)
        kept.state, kept.problem = ("failed" if wrong else "checked"), (wrong or "")[:2000] or None
        kept.counts = {outcome: counts.get(outcome, 0) for outcome in OUTCOMES}


def _check_steps(
    upload_id: int, files: Sequence[Path], code: str
) -> Iterator[Callable[[ListRows], None]]:
    """Give what is done to check an upload, from the start, whose keys are in these files."""
    yield partial(ListRows.forget_checked, upload_id=upload_id)
    for file in files:
        yield partial(ListRows.check, upload_id=upload_id, keys=file, calling_code=code)


def effects(parts: Parts, upload: Upload) -> dict[Mode, Effect]:
    """Return what each way of applying a checked upload would do."""
    _demand(upload, "checked")
    with parts.warehouse.reader() as cursor:
        rows = ListRows(cursor)
        told = rows.checked_members(upload.id)
        listed, new, both = rows.waiting_kept(upload.list_id or 0, upload.id)
    members = parts.memberships.lists.of(upload.list_id) if upload.list_id else BitMap()
    return {
        "replace": Effect(len(told - members), len(members - told), new - both, listed - both),
        "add": Effect(len(told - members), 0, new - both, 0),
        "remove": Effect(0, len(told & members), 0, both),
    }


def apply_upload(
    parts: Parts,
    upload_id: int,
    *,
    author: str,
    now: datetime,
    name: str = "",
    mode: str = "replace",
    later: Callable[[Session, Segment], object],
) -> tuple[Upload, Segment]:
    """Make the list with its segment, named `name`, or change the upload's list by `mode`.

    `later` has a new segment evaluated, in the office's transaction. The list and the log of its
    segments change in one transaction.
    """
    chosen = _mode(mode)
    with parts.office.reading() as session:
        upload = find_upload(session, parts.shop, upload_id)
        _demand(upload, "checked")
        if upload.list_id is None:
            free_name(session, parts.shop, checked_name(name))
    if upload.list_id is None:
        found = _make(parts, upload, name=checked_name(name), author=author, now=now, later=later)
    else:
        found = _change(parts, upload, chosen, author, now)
    _forget_file(parts, upload)
    return found


def undo_upload(
    parts: Parts, segment: Segment, *, author: str, now: datetime
) -> tuple[Upload, Segment]:
    """Take the last upload of a csv segment back."""
    with parts.office.reading() as session:
        listed = list_of(session, parts.shop, segment)
        applied = uploads_of(session, parts.shop, listed.id)
    last = applied[0] if applied else None
    if last is None or last.state != "applied" or last.id == listed.id:
        template = (
            'The list of "{name}" has no upload that can be taken back: only the last one can, '
            "and the first one made the list."
        )
        raise ConflictError(problem("nothing_to_undo", template, name=segment.name))

    def undo(rows: ListRows) -> None:
        rows.undo(listed.id, last.id)

    _rewrite(parts, listed.id, undo, now)
    with parts.office.session(author) as session:
        upload = find_upload(session, parts.shop, last.id)
        upload.state = "undone"
    return upload, segment


def discard(parts: Parts, upload_id: int) -> Upload:
    """Forget an upload that was not applied."""
    with parts.office.session() as session:
        upload = find_upload(session, parts.shop, upload_id)
        _demand(upload, "received", "checking", "checked", "failed")
        upload.state = "discarded"
    _forget_file(parts, upload)
    with parts.warehouse.transaction(changes_facts=False) as cursor:
        # Rows of a new list that a stop in the middle left behind.
        ListRows(cursor).drop(upload.id)
    return upload


def find_upload(session: Session, shop: Shop, upload_id: int) -> Upload:
    """Return an upload of the shop; raises NotFoundError for any other."""
    upload = session.get(Upload, upload_id)
    if upload is None or upload.shop_id != shop.id:
        template = "There is no upload {id} in the shop {shop}."
        raise NotFoundError(problem("no_upload", template, id=upload_id, shop=shop.name))
    return upload


def unfinished(session: Session, shop: Shop) -> Sequence[Upload]:
    """Return the uploads that somebody began and did not end, newest first."""
    states = ("received", "checking", "checked", "failed")
    rows = select(Upload).where(Upload.shop_id == shop.id, Upload.state.in_(states))
    return session.scalars(rows.order_by(Upload.id.desc())).all()


def uploads_of(session: Session, shop: Shop, list_id: int) -> Sequence[Upload]:
    """Return the uploads that a list is made of, newest first, those taken back included."""
    rows = select(Upload).where(
        Upload.shop_id == shop.id,
        Upload.list_id == list_id,
        Upload.state.in_(("applied", "undone")),
    )
    return session.scalars(rows.order_by(Upload.applied_at.desc(), Upload.id.desc())).all()


def list_of(session: Session, shop: Shop, segment: Segment) -> CsvList:
    """Return the list of a csv segment; raises ConflictError for a segment of another kind."""
    keys = list_references(parse(segment.query)) if segment.kind == "csv" else frozenset()
    found = session.scalar(
        select(CsvList).where(CsvList.shop_id == shop.id, CsvList.name_key.in_(keys))
    )
    if found is None:
        template = (
            '"{name}" follows a rule, not a list, so no file can be uploaded to it. '
            "Upload the file under another name."
        )
        raise ConflictError(problem("not_a_list", template, name=segment.name, field="name"))
    return found


def query_of(list_name: str) -> str:
    """Return the query that names a list."""
    return print_query(Filter("csv_list", Operator.EQ, (Text(list_name),)))


def _make(
    parts: Parts,
    upload: Upload,
    *,
    name: str,
    author: str,
    now: datetime,
    later: Callable[[Session, Segment], object],
) -> tuple[Upload, Segment]:
    with parts.memberships.held():
        with parts.warehouse.transaction(changes_facts=False) as cursor:
            rows = ListRows(cursor)
            rows.apply(upload.id, upload.id, "replace")
            rows.claim([upload.id], calling_code(parts.shop.currency))
            effect = Effect(len(rows.members(upload.id)), 0, rows.count_waiting(upload.id), 0)
        with parts.office.session() as session:
            kept = find_upload(session, parts.shop, upload.id)
            _demand(kept, "checked")
            listed = make_list(session, parts.shop, upload.id, name=name, author=author, now=now)
            segment = create_segment(
                session, parts.shop, name=name, query=query_of(listed.name), author=author, now=now
            )
            kept.list_id, kept.segment_id = listed.id, segment.id
            _keep_applied(kept, "replace", effect, author, now)
            later(session, segment)
        with parts.office.reading() as session:
            parts.memberships.follow_lists(session, parts.shop)
    return kept, segment


def make_list(
    session: Session,
    shop: Shop,
    list_id: int,
    *,
    name: str,
    author: str,
    now: datetime,
    known_from: datetime | None = None,
) -> CsvList:
    """Add a list over rows that are in the warehouse; a number is put behind a taken name.

    `known_from` is since when these customers have been on it, where that is before now.
    """
    free = free_list_name(session, shop, name)
    listed = CsvList(
        id=list_id,
        shop_id=shop.id,
        name=free,
        name_key=name_key(free),
        created_at=now,
        created_by=author,
        known_from=known_from or now,
    )
    session.add(listed)
    session.flush()
    return listed


def _change(
    parts: Parts, upload: Upload, mode: Mode, author: str, now: datetime
) -> tuple[Upload, Segment]:
    list_id = cast("int", upload.list_id)
    effect = effects(parts, upload)[mode]

    def act(rows: ListRows) -> None:
        rows.apply(list_id, upload.id, mode)

    _rewrite(parts, list_id, act, now)
    with parts.office.session() as session:
        kept = find_upload(session, parts.shop, upload.id)
        _keep_applied(kept, mode, effect, author, now)
        segment = session.get_one(Segment, upload.segment_id)
    return kept, segment


def _rewrite(parts: Parts, list_id: int, act: Callable[[ListRows], None], now: datetime) -> None:
    """Change the rows of a list and, in the same transaction, everybody's membership."""
    memberships, shop = parts.memberships, parts.shop
    with memberships.held():
        with parts.office.reading() as session:
            current = definitions(session, shop)
        names = memberships.lists.keys_of([list_id])
        concerned = [one.segment_id for one in current if one.lists & names]
        with (
            memberships.changing(shop, now) as changing,
            parts.warehouse.transaction(changes_facts=False) as cursor,
        ):
            rows = ListRows(cursor)
            act(rows)
            rows.claim([list_id], calling_code(shop.currency))
            memberships.lists.read(cursor, list_id, now)
            changing.refresh(cursor, current, concerned, "upload")
        record_changes(parts.office, memberships, shop, changing.changes, now)


def _keep_applied(upload: Upload, mode: Mode, effect: Effect, author: str, now: datetime) -> None:
    upload.state, upload.mode, upload.applied_at, upload.author = "applied", mode, now, author
    upload.effect = {
        "joined": effect.joined,
        "left": effect.left,
        "waiting_added": effect.waiting_added,
        "waiting_removed": effect.waiting_removed,
    }


def _forget_file(parts: Parts, upload: Upload) -> None:
    parts.file(upload).unlink(missing_ok=True)
    with parts.warehouse.transaction(changes_facts=False) as cursor:
        ListRows(cursor).forget_checked(upload.id)


def forget_unfinished(parts: Parts, now: datetime) -> int:
    """Discard the uploads that nobody went on with for a week; return how many."""
    with parts.office.reading() as session:
        old = [
            one.id
            for one in unfinished(session, parts.shop)
            if one.created_at < now - UNFINISHED_KEPT
        ]
    for upload_id in old:
        discard(parts, upload_id)
    return len(old)


def _copy(source: IO[bytes], target: Path, bytes_max: int) -> None:
    size = 0
    with target.open("xb") as out:
        target.chmod(0o600)
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > bytes_max:
                template = "The file is larger than {most} MB. Split it and upload the parts."
                raise LimitError(
                    problem("upload_too_large", template, most=bytes_max // 1024**2, field="file")
                )
            out.write(chunk)


def _edition(file: Path) -> tuple[int, int] | None:
    """Return what is another after a file was written anew; None for no file."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _looks(parts: Parts, path: Path, encoding: str, name: str) -> Looks:
    shop = parts.shop
    reading = Reading((), shop.kind == "shopify", calling_code(shop.currency))
    try:
        return look(path, reading, encoding)
    except UploadError as error:
        raise _named(error, path, name) from error


def _named(error: InputError, path: Path, name: str) -> InputError:
    """Name the file as the person knows it, not as it lies here."""
    for one in error.problems:
        if isinstance(one.values, dict) and one.values.get("file") == path.name:
            one.values["file"] = name
    return type(error)(*error.problems)


def _mode(text: str) -> Mode:
    for mode in MODES:
        if mode == text:
            return mode
    template = '"{text}" is no way of uploading. Choose replace, add or remove.'
    raise InputError(problem("unknown_mode", template, text=text[:40], field="mode"))


def _demand(upload: Upload, *states: str) -> None:
    if upload.state in states:
        return
    if upload.state == "checking":
        template = "The rows of this file are still being checked. Go on when that is done."
    elif upload.state in ("received", "failed"):
        template = (
            "The rows of this file are not checked yet. Choose its columns and check them first."
        )
    elif upload.state == "discarded":
        template = "This upload was discarded. Upload the file again."
    else:
        template = "This upload is finished. To change the list again, upload a file again."
    raise ConflictError(problem("upload_state", template))
