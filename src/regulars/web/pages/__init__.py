"""The pages: one file per resource, each with a `router`; found by `web.app`.

How a page is written:

* `def show(visit: SignedIn) -> Response`, a plain `def`: pages run in threads. `visit.shop` is the
  shop, `visit.office()` opens a transaction, `visit.runtime` and `visit.jobs` do the work,
  `visit.field("name")` reads a form field, `visit.say` translates and formats, `visit.now` is now.
* Answer with `visit.page("resource/show.html", key=value)` or `visit.go("/address", toast=...)`.
* A template starts with `{% extends "layout.html" %}{% import "ui.html" as ui with context %}`,
  fills the blocks `title` and `main`, and may name `_`, `ngettext`, `say`, `hx`, `static`, `visit`,
  `now`. Texts: `_("Gives {count} customers", count=say.number(n))`; `strong(x)` and `code(x)` mark
  up a value.
* Each `<form method="post">` holds `{{ ui.form_token_field() }}`. Only `hx(...)` writes htmx
  attributes.
* A dialog is a fragment: a template with `ui.dialog(...)`, the answer to
  `hx(get=..., target="#dialogs")`. Its form posts with `hx(post=..., target="#dialogs")`; wrong
  input answers 422 with the same dialog and `visit.problems(error)`, success answers
  `visit.go(...)`, which works with and without script.
* Constants that are shown are marked with `N_` where they are defined, translated where shown.
"""
