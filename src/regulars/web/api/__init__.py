"""The API under /api/v1: one file per resource, each with a `router`; found by `web.app`."""
