"""What templates may not hold: code that needs eval, inline code, markup from outside."""

from __future__ import annotations

import re

import pytest
from jinja2 import nodes

from regulars.web.templating import TEMPLATE_FOLDER, create_environment, hx_attributes

TEMPLATES = sorted(path for path in TEMPLATE_FOLDER.rglob("*.html"))
NAMES = [path.relative_to(TEMPLATE_FOLDER).as_posix() for path in TEMPLATES]

#: Filters that end escaping, and where one is allowed: nowhere so far.
UNSAFE_ALLOWED: set[str] = set()


@pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)
def test_a_template_needs_no_inline_code_and_no_eval(path):
    text = path.read_text(encoding="utf-8")

    assert not re.search(r"\bhx-on\b|\bon[a-z]+=|javascript:|\bjs:", text)
    assert not re.search(r"\sstyle=|<style\b", text)
    assert not re.search(r"<script(?![^>]*\bnonce=)", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=NAMES)
def test_only_hx_writes_the_attributes_of_htmx(path):
    """`hx(...)` adds the nonce; an attribute by hand would be stripped by hx-csp, or be a hole."""
    text = path.read_text(encoding="utf-8")
    by_hand = re.findall(r"<(?!hx-partial)[a-z][^<>]*?\s(?:data-)?hx-[a-z]+[=:]", text)

    assert by_hand == []


@pytest.mark.parametrize("name", NAMES)
def test_a_template_never_switches_escaping_off(name: str):
    environment = create_environment()
    source = (TEMPLATE_FOLDER / name).read_text(encoding="utf-8")
    tree = environment.parse(source)
    used = {one.name for one in tree.find_all(nodes.Filter)}

    assert not used & {"safe"} or name in UNSAFE_ALLOWED
    assert not list(tree.find_all(nodes.ScopedEvalContextModifier))


@pytest.mark.parametrize("name", NAMES)
def test_every_form_that_posts_proves_that_it_is_ours(name: str):
    """Forms for people who are not signed in have no session to prove; they check the origin."""
    source = (TEMPLATE_FOLDER / name).read_text(encoding="utf-8")
    if name.startswith("sign_in/") or name == "settings/join.html":
        return
    forms = re.findall(r"<form\b[^>]*method=\"post\".*?</form>", source, re.S)
    bare = [form for form in forms if "form_token_field()" not in form]

    assert bare == []


@pytest.mark.parametrize(
    "attributes",
    [{"on_click": "x()"}, {"vals": "js:x()"}, {"trigger": "input[isComposing]"}],
)
def test_attributes_that_would_need_eval_are_refused(attributes):
    with pytest.raises(ValueError, match="eval"):
        hx_attributes("n", **attributes)


def test_attributes_are_escaped_and_carry_the_nonce():
    written = hx_attributes("abc", get='/x?a="1"&b=2', push_url=True, vals={"a": '"'})

    assert written == (
        'hx-nonce="abc" hx-get="/x?a=&#34;1&#34;&amp;b=2" hx-push-url="true" '
        'hx-vals="{&#34;a&#34;:&#34;\\&#34;&#34;}"'
    )
