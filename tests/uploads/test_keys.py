"""Keys, cells and files: properties, and files that mean harm."""

from __future__ import annotations

import csv
import gzip
import io
import sys
import unicodedata
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.errors import ConflictError, InputError, LimitError, UploadError
from regulars.segments import uploads
from regulars.segments.exporting import list_rows, lossy_rows, member_rows
from regulars.segments.keys import UnusableKeyError, email_key, id_key, phone_key
from regulars.segments.uploads import acts
from regulars.spreadsheet import csv_bytes, guarded, unguarded
from regulars.warehouse.lists import ListRows
from tests.exploring import looking

#: Every sign that a spreadsheet, folding widths and forms, takes for the start of a formula.
FORMULA_STARTS = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if unicodedata.normalize("NFKC", chr(code)) in {"=", "+", "-", "@"}
]


@looking(50)
@given(st.text(alphabet=st.sampled_from("'=+-@＝＠ \t\u3000\ufeffa1é"), max_size=8) | st.text())
def test_export_and_import_of_a_cell_are_inverse(text):
    assert unguarded(guarded(text)) == text


@looking(50)
@given(
    st.sampled_from(["", " ", "\t", "\u3000", "\ufeff", "\u200b", "\u00a0"]),
    st.sampled_from(FORMULA_STARTS),
    st.text(),
)
def test_no_cell_of_an_export_is_a_formula(space, start, rest):
    assert guarded(space + start + rest).startswith("'")


def test_a_cell_that_is_no_formula_is_left_alone():
    cells = ["ana", "'90s", "1-2", "a=b", "", "'"]
    assert [guarded(cell) for cell in cells] == cells


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("090-1234-5678", "+819012345678"),
        ("０９０−１２３４−５６７８", "+819012345678"),
        ("+81 (90) 1234 5678", "+819012345678"),
        ("0081 90 1234 5678", "+819012345678"),
        ("'+819012345678", "+819012345678"),
        ("'+81-90-1234-5678", "+819012345678"),
        ("", None),
    ],
)
def test_phones_come_to_one_form(text, key):
    assert phone_key(text, "81") == key


@pytest.mark.parametrize("text", ["9012345678", "phone", "+81", "++8190123", "0" * 30, "1.2E+10"])
def test_what_is_no_phone_is_refused(text):
    with pytest.raises(UnusableKeyError):
        phone_key(text, "81")


@pytest.mark.parametrize(
    ("text", "key"),
    [(" Ana@Shop.Example ", "ana@shop.example"), ("ana＠shop．example", "ana@shop.example")],
)
def test_emails_come_to_one_form(text, key):
    assert email_key(text) == key


@pytest.mark.parametrize("text", ["ana", "a@b", "a b@c.de", "a@b.c,d@e.f", "a" * 250 + "@b.cd"])
def test_what_is_no_email_is_refused(text):
    with pytest.raises(UnusableKeyError):
        email_key(text)


def test_a_shortened_id_is_told_from_a_wrong_one():
    with pytest.raises(UnusableKeyError, match="id_rounded"):
        id_key("7.01235E+12", is_shopify=True)
    with pytest.raises(UnusableKeyError, match="id_form"):
        id_key("ana", is_shopify=True)
    assert id_key("'7012345678901", is_shopify=True) == "7012345678901"


CELLS = st.sampled_from(
    [
        "ana@shop.example",
        " ANA@SHOP.EXAMPLE",
        "bo@shop.example",
        "twins@shop.example",
        "nobody@shop.example",
        "x",
        "",
        "=cmd()",
        "090-1234-5678",
        "ana",
        "a,b",
        'a"b',
    ]
)


@looking(15)
@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=25), separator=st.sampled_from(",;\t")
)
def test_the_ledger_adds_up(uploading, rows, separator):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(["customer_id", "email", "phone"])
    writer.writerows(rows)
    upload = uploading.check(text.getvalue())

    assert upload.state == "checked", upload.problem
    assert sum(upload.counts.values()) == len(rows)
    with uploading.parts.warehouse.reader() as cursor:
        members = ListRows(cursor).checked_members(upload.id)
    assert upload.counts["matched"] == len(members)
    uploads.discard(uploading.parts, upload.id)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encoding_and_separator_are_found(uploading, encoding, separator):
    text = "名前,メールアドレス\n花子,ana@shop.example\n".replace(",", separator)
    upload = uploading.check(text.encode(encoding))

    assert upload.counts["matched"] == 1
    assert upload.columns == ["", "email"]


def test_a_file_without_header_is_read_from_its_first_line(uploading):
    upload = uploading.check("ana@shop.example\nbo@shop.example\n")

    assert upload.counts["matched"] == 2


def test_an_export_uploaded_again_is_the_same_list(uploading):
    at_work = uploading.at_work
    at_work.told(at_work.customer("=1+1", display_name="@cmd", phone="+819000000000"))
    uploading.make("Guests", "customer_id,email\nana,\n=1+1,\n,wait@shop.example\n+81x,\n")

    with uploading.parts.office.reading() as session:
        list_id = uploads.list_of(session, at_work.shop, uploading.segment("Guests")).id
    exported = b"".join(csv_bytes(list_rows(uploading.parts.warehouse, list_id)))
    upload = uploading.check(exported, segment=uploading.segment("Guests"))

    assert uploading.effects(upload)["replace"].is_nothing


def test_the_members_with_personal_data_upload_as_the_same_members(uploading):
    at_work = uploading.at_work
    at_work.told(at_work.customer("=1+1", display_name="@cmd", phone="+819000000000"))
    segment = uploading.make("Guests", "customer_id\nana\n=1+1\n")
    members = at_work.runtime.memberships(at_work.shop).members(segment.id)
    rows = member_rows(uploading.parts.warehouse, members, personal=True)
    uploading.make("Again", b"".join(csv_bytes(rows)))

    assert uploading.members("Again") == uploading.members("Guests") == {"ana", "=1+1"}


def test_what_shift_jis_cannot_write_is_counted_beforehand():
    rows = [("Name",), ("花子",), ("José 😀",), ("Zoë", "x"), ("髙橋",)]

    assert lossy_rows(rows, "cp932") == 2
    assert lossy_rows(rows, "utf-8-sig") == 0
    assert b"Jos? ?" in b"".join(csv_bytes(rows, "cp932"))


HOSTILE = {
    "nothing": b"",
    "nul": b"email\na\x00b\n",
    "binary": bytes(range(256)) * 40,
    "columns": b",".join(b"c%d" % n for n in range(1_000_001)),
    "damaged gzip": gzip.compress(b"email\nana@shop.example\n" * 100)[:-9],
    "gzip bomb": gzip.compress(b"email\n" + b"0" * 20_000_000),
    "gzip of equal rows": gzip.compress(b"email\n" + b"ana@shop.example\n" * 4_000_000, 1),
    "zip": b"PK\x03\x04" + gzip.compress(b"0" * 1_000_000),
    "endless row": b'email\n"' + b"a\n" * 600_000,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_refused_with_a_word_and_leaves_nothing(uploading, content):
    with pytest.raises(InputError) as raised:
        uploading.check(content)

    assert raised.value.problems[0].message
    assert list(uploading.parts.folder.iterdir()) == []
    assert not list(uploading.parts.incoming.glob("upload-*"))


def test_an_unclosed_quote_is_told_with_the_files_own_name(uploading):
    with pytest.raises(UploadError, match=r"line 3 of guests.csv is never closed"):
        uploading.check('email\nana@shop.example\n"bo@shop.example\n')


def test_what_is_found_late_in_a_file_is_kept_with_the_upload(uploading):
    upload = uploading.check("email\n" + "ana@shop.example\n" * 500 + '"bo@shop.example\n')

    assert upload.state == "failed"
    assert "line 502 of guests.csv is never closed" in upload.problem
    assert sum(upload.counts.values()) == 0
    assert not list(uploading.parts.incoming.glob("upload-*"))


def test_a_file_larger_than_the_limit_is_refused(uploading):
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            return b"0" * (1 << 24)

    with pytest.raises(LimitError):
        uploads.receive(
            replace(uploading.parts, bytes_max=1 << 21),
            Endless(),
            file_name="endless.csv",
            author="ana",
            now=datetime(2026, 3, 1, tzinfo=UTC),
        )

    assert list(uploading.parts.folder.iterdir()) == []


def test_an_apply_that_fails_leaves_no_partial_segment(uploading):
    uploading.make("Guests", "customer_id\nana\n")
    upload = uploading.check("customer_id\nbo\n")

    with pytest.raises(ConflictError):
        uploading.apply(upload, name="guests")

    again = uploading.again(upload)
    assert again.state == "checked"
    uploading.apply(again, name="Others")
    uploading.at_work.jobs.run_until_idle()
    assert uploading.members("Others") == {"bo"}


def test_an_upload_is_applied_once(uploading):
    upload = uploading.check("customer_id\nbo\n")
    uploading.apply(upload, name="Guests")

    with pytest.raises(ConflictError):
        uploading.apply(upload, name="Guests again")


def test_uploads_that_nobody_went_on_with_are_forgotten(uploading):
    old = uploading.check("customer_id\nbo\n")
    uploading.at_work.clock.instant += acts.UNFINISHED_KEPT * 2
    uploading.check("customer_id\nana\n")

    assert uploading.again(old).state == "discarded"
    assert not (uploading.parts.folder / f"{old.id}.csv").exists()
