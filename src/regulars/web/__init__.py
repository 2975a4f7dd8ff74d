"""The screens and the API: server-rendered pages, htmx fragments and JSON under /api/v1.

`create_app` is the way in. Pages live in `pages/<resource>.py`, the API in `api/<resource>.py`;
each exposes a `router`. Nothing here decides what a segment means or starts work by itself.
"""

from regulars.web.app import create_app

__all__ = ["create_app"]
