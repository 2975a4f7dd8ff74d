"""Definitions: create, find, edit, rename, duplicate, delete, restore.

Every function works in the caller's office session and leaves the evaluation to be started by the
caller: a new or edited segment is "building" until somebody refreshes it.
"""

from __future__ import annotations

import difflib
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from regulars.engine import mentions_time
from regulars.errors import ConflictError, Names, NotFoundError, QueryError, problem
from regulars.language import check_shopify_ids, parse, print_query
from regulars.language.tree import Filter, Node, Operator, Text, filters_of
from regulars.office import Shop
from regulars.office.models.segments import Segment, SegmentVersion
from regulars.office.models.uploads import CsvList
from regulars.segments import graph
from regulars.segments.lists import check_lists
from regulars.segments.names import checked_name, name_key, trash_key
from regulars.segments.users import all_users, is_followed

#: Texts of queries that are kept read: every evaluation reads those of its shop.
READ_MAX = 4096


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of one segment, read: what evaluation needs to know."""

    segment_id: int
    version: int
    name: str
    key: str
    tree: Node
    references: frozenset[str]
    mentions_time: bool
    mentions_products: bool
    #: The keys of the CSV lists that it names.
    lists: frozenset[str] = frozenset()


def create_segment(
    session: Session, shop: Shop, *, name: str, query: str, author: str, now: datetime
) -> Segment:
    """Add a segment, "building"; raises InputError where name or query cannot be used."""
    clean = free_name(session, shop, checked_name(name))
    tree = checked_query(session, shop, query, key=name_key(clean), name=clean)
    segment = Segment(
        shop_id=shop.id,
        name=clean,
        name_key=name_key(clean),
        description="",
        kind=kind_of(tree),
        query=query,
        version=1,
        state="building",
        member_count=0,
        created_at=now,
        created_by=author,
        updated_at=now,
    )
    session.add(segment)
    session.flush()
    _keep_version(session, segment, author, now)
    return segment


def list_segments(session: Session, shop: Shop, *, in_trash: bool = False) -> Sequence[Segment]:
    """Return the shop's segments by name, or those in its trash."""
    deleted = Segment.deleted_at.is_not(None) if in_trash else Segment.deleted_at.is_(None)
    of_shop = select(Segment).where(Segment.shop_id == shop.id, Segment.purged_at.is_(None))
    found = session.scalars(of_shop.where(deleted))
    return sorted(found, key=lambda segment: name_key(segment.name))


def find_segment(session: Session, shop: Shop, id_or_name: int | str) -> Segment:
    """Return a live segment by its id or its name; raises NotFoundError. An id wins over a name."""
    text = str(id_or_name).strip()
    live = select(Segment).where(Segment.shop_id == shop.id, Segment.deleted_at.is_(None))
    found = None
    # SQLite and PostgreSQL hold row numbers of up to 63 bits.
    if text.isascii() and text.isdigit() and len(text) <= 18:
        found = session.scalar(live.where(Segment.id == int(text)))
    if found is None:
        found = session.scalar(live.where(Segment.name_key == name_key(text)))
    if found is None:
        template = "There is no segment {segment} in the shop {shop}."
        command = "regulars segments list --shop {shop}"
        told = problem("no_segment", template, segment=text, shop=shop.name, command=command)
        raise NotFoundError(told)
    return found


def list_versions(session: Session, segment: Segment) -> Sequence[SegmentVersion]:
    """Return all texts the segment has had, newest first."""
    return session.scalars(
        select(SegmentVersion)
        .where(SegmentVersion.segment_id == segment.id)
        .order_by(SegmentVersion.version.desc())
    ).all()


def edit_segment(
    session: Session,
    shop: Shop,
    segment: Segment,
    *,
    query: str,
    author: str,
    now: datetime,
    expected_version: int | None = None,
) -> Segment:
    """Give a segment a new query. The members stay those of the old one until it is refreshed.

    `expected_version` is the version the author looked at; ConflictError where it is outdated.
    """
    if expected_version is not None and expected_version != segment.version:
        template = "Somebody changed this segment in the meantime. Load it again to see the change."
        raise ConflictError(problem("segment_changed", template))
    tree = checked_query(session, shop, query, key=segment.name_key, name=segment.name)
    if query == segment.query:
        return segment
    segment.query = query
    segment.kind = kind_of(tree)
    segment.version = _newest_version(session, segment) + 1
    segment.state = "building"
    segment.problem = None
    segment.updated_at = now
    _keep_version(session, segment, author, now)
    return segment


def rename_segment(
    session: Session, shop: Shop, segment: Segment, *, name: str, now: datetime
) -> Segment:
    """Rename a segment; the queries that name it are rewritten, their meaning stays.

    So are earlier versions and what lies in the trash: brought back, they mean the same segment.
    """
    clean = checked_name(name)
    if name_key(clean) != segment.name_key:
        free_name(session, shop, clean)
    for other in _with_trash(session, shop):
        _rewrite(session, other, segment.name_key, clean)
    if segment.kind == "csv":
        _rename_list(session, shop, segment.name_key, clean)
    segment.name, segment.name_key, segment.updated_at = clean, name_key(clean), now
    return segment


def duplicate_segment(
    session: Session,
    shop: Shop,
    segment: Segment,
    *,
    author: str,
    now: datetime,
    name: str | None = None,
) -> Segment:
    """Make a second segment with the same query, named "… (2)" unless a name is given."""
    return create_segment(
        session,
        shop,
        name=name or next_name(session, shop, segment.name),
        query=segment.query,
        author=author,
        now=now,
    )


def delete_segment(session: Session, shop: Shop, segment: Segment, *, now: datetime) -> None:
    """Put a segment into the trash; ConflictError, listing them, where something needs it."""
    demand_unneeded(session, shop, segment, now=now)
    segment.deleted_at = segment.updated_at = now
    segment.name_key = trash_key(segment.id)


def demand_unneeded(session: Session, shop: Shop, segment: Segment, *, now: datetime) -> None:
    """Raise ConflictError where segments or tag rules need a segment; it lists them.

    Trackings do not: they go on with its rule (decision 0021). Nor do assignments under way: their
    audience is stored.
    """
    users = all_users(session, shop, segment, now=now)
    named = {
        kind: Names(user.name for user in users if user.kind == kind)
        for kind in ("segment", "rule")
    }
    if any(named.values()):
        raise ConflictError(
            problem(
                "segment_in_use",
                '"{name}" is used by segments. Change or delete them first: {segments}.'
                if not named["rule"]
                else '"{name}" is used by tag rules. Switch them off first: {rules}.'
                if not named["segment"]
                else '"{name}" is used by segments ({segments}) and tag rules ({rules}).'
                " Change or delete the segments and switch the rules off first.",
                name=segment.name,
                segments=named["segment"],
                rules=named["rule"],
            )
        )


def restore_segment(session: Session, shop: Shop, segment_id: int, *, now: datetime) -> Segment:
    """Take a segment out of the trash, under another name where its own is taken by now."""
    segment = session.scalar(
        select(Segment).where(
            Segment.shop_id == shop.id,
            Segment.id == segment_id,
            Segment.deleted_at.is_not(None),
            Segment.purged_at.is_(None),
        )
    )
    if segment is None:
        template = "There is no segment {segment} in the trash."
        raise NotFoundError(problem("no_segment_in_trash", template, segment=segment_id))
    name = segment.name
    if _taken(session, shop, name_key(name)):
        name = next_name(session, shop, name)
    checked_query(session, shop, segment.query, key=name_key(name), name=name)
    segment.name, segment.name_key = name, name_key(name)
    segment.deleted_at, segment.updated_at, segment.state = None, now, "building"
    return segment


def restore_version(
    session: Session, shop: Shop, segment: Segment, *, version: int, author: str, now: datetime
) -> Segment:
    """Make an earlier text of a segment its newest version."""
    found = session.scalar(
        select(SegmentVersion).where(
            SegmentVersion.segment_id == segment.id, SegmentVersion.version == version
        )
    )
    if found is None:
        template = '"{name}" has no version {version}.'
        raise NotFoundError(
            problem("no_segment_version", template, name=segment.name, version=version)
        )
    return edit_segment(session, shop, segment, query=found.query, author=author, now=now)


def definitions(session: Session, shop: Shop) -> tuple[Definition, ...]:
    """Return the newest definition of each followed segment, parts before what is made of them."""
    followed = select(Segment).where(Segment.shop_id == shop.id, is_followed(shop))
    read = [
        definition(segment, segment.version, segment.query)
        for segment in session.scalars(followed.order_by(Segment.id))
    ]
    return sort_definitions(read)


def definitions_in_force(session: Session, shop: Shop) -> tuple[Definition, ...]:
    """Return the definitions that the present members come from; unbuilt segments are left out."""
    rows = session.execute(
        select(Segment, SegmentVersion.query)
        .join(
            SegmentVersion,
            (SegmentVersion.segment_id == Segment.id)
            & (SegmentVersion.version == Segment.evaluated_version),
        )
        .where(Segment.shop_id == shop.id, is_followed(shop))
    )
    read = [
        definition(segment, segment.evaluated_version or segment.version, query)
        for segment, query in rows
    ]
    return sort_definitions(read)


def definition(segment: Segment, version: int, query: str) -> Definition:
    """Read one text of a segment."""
    return Definition(segment.id, version, segment.name, segment.name_key, *_read(query))


@functools.lru_cache(maxsize=READ_MAX)
def _read(
    query: str,
) -> tuple[Node, frozenset[str], bool, bool, frozenset[str]]:
    tree = parse(query)
    return (
        tree,
        graph.references(tree),
        mentions_time(tree),
        graph.mentions_products(tree),
        graph.list_references(tree),
    )


def sort_definitions(read: Sequence[Definition]) -> tuple[Definition, ...]:
    """Return definitions so that parts come before what is made of them."""
    by_key = {one.key: one for one in read}
    order = graph.in_order({one.key: one.references for one in read})
    return tuple(by_key[key] for key in order)


def kind_of(tree: Node) -> str:
    """Return "csv" for a list alone, "combination" for segments only, else "query"."""
    if isinstance(tree, Filter) and tree.attribute == "csv_list" and tree.operator is Operator.EQ:
        return "csv"
    made_of_segments = all(leaf.attribute == "segment" for leaf in filters_of(tree))
    return "combination" if made_of_segments else "query"


def checked_query(
    session: Session, shop: Shop, query: str, *, key: str | None = None, name: str = ""
) -> Node:
    """Read a query, and check the segments it names; raises QueryError with all problems.

    `key` and `name` are those of the segment that will have the query, for the cycle check.
    """
    tree = parse(query)
    if shop.kind == "shopify":
        check_shopify_ids(tree, query)
    others = {other.name_key: other for other in list_segments(session, shop)}
    names = {one: other.name for one, other in others.items()}
    if key is not None:
        names[key] = name
    _check_names(tree, query, names, own=key)
    check_lists(session, shop, tree, query)
    if key is not None:
        _check_cycle(tree, others, key, names)
    return tree


def _check_names(tree: Node, query: str, names: Mapping[str, str], *, own: str | None) -> None:
    problems = []
    others = [one for one in names if one != own]
    for leaf, written in graph.reference_filters(tree):
        if name_key(written) in names:
            continue
        near = difflib.get_close_matches(name_key(written), others, n=1)
        template = 'There is no segment "{name}" in this shop.'
        if near:
            template += ' Did you mean "{near}"?'
        start, end = leaf.span.start, leaf.span.end
        problems.append(
            replace(
                problem(
                    "unknown_segment",
                    template,
                    name=written,
                    near=names[near[0]] if near else "",
                ),
                start=start,
                length=end - start,
                line=query.count("\n", 0, start) + 1,
                column=start - (query.rfind("\n", 0, start) + 1),
            )
        )
    if problems:
        raise QueryError(*problems)


def _check_cycle(
    tree: Node, others: Mapping[str, Segment], key: str, names: Mapping[str, str]
) -> None:
    parts = {one: graph.references(parse(other.query)) for one, other in others.items()}
    parts[key] = graph.references(tree)
    path = graph.path_back(parts, key)
    if path:
        template = "A segment cannot be made of itself: {path}."
        way = " → ".join(names[step] for step in path)
        raise QueryError(problem("segment_cycle", template, path=way))


def free_name(session: Session, shop: Shop, name: str) -> str:
    """Return the name; raises ConflictError where a segment of the shop has it."""
    taken = _taken(session, shop, name_key(name))
    if taken:
        template = 'There is already a segment "{name}". Choose another name.'
        raise ConflictError(problem("segment_name_taken", template, name=taken, field="name"))
    return name


def next_name(session: Session, shop: Shop, name: str) -> str:
    """Return "name (2)", or the next number that is free."""
    number = 2
    while _taken(session, shop, name_key(f"{name} ({number})")):
        number += 1
    return checked_name(f"{name} ({number})")


def _taken(session: Session, shop: Shop, key: str) -> str | None:
    return session.scalar(
        select(Segment.name).where(Segment.shop_id == shop.id, Segment.name_key == key)
    )


def _newest_version(session: Session, segment: Segment) -> int:
    return max(version.version for version in list_versions(session, segment))


def _keep_version(session: Session, segment: Segment, author: str, now: datetime) -> None:
    session.add(
        SegmentVersion(
            shop_id=segment.shop_id,
            segment_id=segment.id,
            version=segment.version,
            query=segment.query,
            author=author,
            created_at=now,
        )
    )
    session.flush()


def _rename_list(session: Session, shop: Shop, old_key: str, name: str) -> None:
    """Rename the list that was made under a segment's name; a shared one of another name stays."""
    of_shop = select(CsvList).where(CsvList.shop_id == shop.id)
    listed = session.scalar(of_shop.where(CsvList.name_key == old_key))
    if listed is None:
        return
    free = free_list_name(session, shop, name, but=listed)
    for segment in _with_trash(session, shop):
        _rewrite(session, segment, old_key, free, of="csv_list")
    listed.name, listed.name_key = free, name_key(free)


def free_list_name(session: Session, shop: Shop, name: str, *, but: CsvList | None = None) -> str:
    """Return the name for a list, with a number behind it where another list has it."""
    rows = select(CsvList.name_key).where(CsvList.shop_id == shop.id)
    taken = set(session.scalars(rows)) - ({but.name_key} if but else set())
    free, number = name, 2
    while name_key(free) in taken:
        free, number = f"{name[:110]} ({number})", number + 1
    return free


def _with_trash(session: Session, shop: Shop) -> Sequence[Segment]:
    return [*list_segments(session, shop), *list_segments(session, shop, in_trash=True)]


def _rewrite(
    session: Session, user: Segment, old_key: str, new_name: str, *, of: str = "segment"
) -> None:
    """Put the new name into all texts of a segment."""
    user.query = renamed_query(user.query, old_key, new_name, of=of)
    for version in list_versions(session, user):
        version.query = renamed_query(version.query, old_key, new_name, of=of)


def renamed_query(query: str, old_key: str, new_name: str, *, of: str = "segment") -> str:
    """Return a query with the name of a segment or list replaced; all else stays as written."""
    spots = {
        leaf.span: leaf
        for leaf, written in graph.reference_filters(parse(query), of)
        if name_key(written) == old_key
    }
    for span in sorted(spots, key=lambda span: span.start, reverse=True):
        leaf = spots[span]
        operands = tuple(
            Text(new_name)
            if isinstance(operand, Text) and name_key(operand.value) == old_key
            else operand
            for operand in leaf.operands
        )
        written = print_query(replace(leaf, operands=operands))
        query = query[: span.start] + written + query[span.end :]
    return query
