"""Uploads as tests speak of them: a text goes in, a ledger and members come out."""

from __future__ import annotations

import io
from dataclasses import dataclass

from regulars.office.models.segments import Segment
from regulars.office.models.uploads import Upload
from regulars.segments import find_segment, uploads
from tests.jobs.at_work import AtWork


@dataclass
class Uploading:
    """A shop at work, with short words for uploads."""

    at_work: AtWork

    @property
    def parts(self) -> uploads.Parts:
        runtime, shop = self.at_work.runtime, self.at_work.shop
        return uploads.Parts(
            runtime.office,
            runtime.warehouse(shop),
            runtime.memberships(shop),
            shop,
            runtime.settings.home_folder / "uploads",
        )

    def check(
        self,
        content: str | bytes,
        *,
        segment: Segment | None = None,
        columns: tuple[str, ...] = (),
        parts: uploads.Parts | None = None,
    ) -> Upload:
        """Receive a file and check it."""
        source = io.BytesIO(content.encode() if isinstance(content, str) else content)
        parts = parts or self.parts
        upload = uploads.receive(
            parts, source, file_name="guests.csv", author="ana", now=self.now, segment=segment
        )
        with parts.office.session() as session:
            chosen = columns or tuple(upload.columns)
            uploads.begin_check(session, parts.shop, upload.id, chosen)
        uploads.run_check(parts, upload.id)
        return self.again(upload)

    def make(self, name: str, content: str | bytes, **options: tuple[str, ...]) -> Segment:
        """Make a csv segment of a file."""
        upload = self.check(content, **options)
        assert upload.state == "checked", upload.problem
        self.apply(upload, name=name)
        self.at_work.jobs.run_until_idle()
        return self.segment(name)

    def change(self, name: str, content: str | bytes, mode: str) -> Upload:
        """Upload to a csv segment again."""
        upload = self.check(content, segment=self.segment(name))
        return self.apply(upload, mode=mode)[0]

    def apply(self, upload: Upload, *, name: str = "", mode: str = "replace"):
        jobs, shop = self.at_work.jobs, self.at_work.shop
        return uploads.apply_upload(
            self.parts,
            upload.id,
            author="ana",
            now=self.now,
            name=name,
            mode=mode,
            later=lambda session, one: jobs.refresh_segment_later(session, shop, one.id, "created"),
        )

    def effects(self, upload: Upload) -> dict[str, uploads.Effect]:
        return uploads.effects(self.parts, upload)

    def undo(self, name: str) -> None:
        uploads.undo_upload(self.parts, self.segment(name), author="ana", now=self.now)

    def again(self, upload: Upload) -> Upload:
        with self.parts.office.reading() as session:
            return uploads.find_upload(session, self.at_work.shop, upload.id)

    def segment(self, name: str) -> Segment:
        with self.parts.office.reading() as session:
            return find_segment(session, self.at_work.shop, name)

    def members(self, name: str) -> set[str]:
        return self.at_work.members(self.segment(name).id)

    @property
    def now(self):
        return self.at_work.clock()
