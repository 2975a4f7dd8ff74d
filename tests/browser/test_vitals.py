"""What a reader feels of a page's loading: nothing jumps, whatever comes late.

The moments themselves depend on the machine and are measured, not demanded: REGULARS_VITALS names a
file for them (milliseconds: largest contentful paint, slowest answer to a key; and the shift).
"""

from __future__ import annotations

import os
from pathlib import Path

import orjson

#: Listens from before the page's own first line on.
LISTEN = """
window.vitals = {lcp: 0, cls: 0, inp: 0};
new PerformanceObserver(list => { for (const one of list.getEntries()) vitals.lcp = one.startTime })
  .observe({type: 'largest-contentful-paint', buffered: true});
new PerformanceObserver(list => { for (const one of list.getEntries())
    if (!one.hadRecentInput) vitals.cls += one.value })
  .observe({type: 'layout-shift', buffered: true});
new PerformanceObserver(list => { for (const one of list.getEntries())
    vitals.inp = Math.max(vitals.inp, one.duration) })
  .observe({type: 'event', durationThreshold: 16, buffered: true});
"""
#: A page and the field that is typed into there.
PAGES = {
    "home": ("/", None),
    "list": ("/segments", "input[type=search]"),
    "detail": ("/segments/{id}", "input[type=search]"),
    "editor": ("/segments/{id}/edit", "textarea"),
}
SHIFT_MAX = 0.02


def test_nothing_jumps_while_a_page_loads(open_page, live):
    segment = live.world.segment("Steady", "amount_spent >= 30000")
    page = open_page()
    page.add_init_script(LISTEN)
    # What jobs change meanwhile moves the page rightly; here nothing is new since it was made.
    page.route("**/*seen=*", lambda route: route.fulfill(status=204))
    found = {}
    for name, (address, field) in PAGES.items():
        page.goto(address.format(id=segment))
        # Nothing is called the largest any more once somebody types.
        page.wait_for_function("() => vitals.lcp > 0")
        if field is not None:
            page.locator(field).first.press_sequentially(" 1")
        # Two frames later what was painted is noted.
        page.evaluate("new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")
        found[name] = page.evaluate("vitals")
    told = os.environ.get("REGULARS_VITALS")
    if told:
        Path(told).write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))

    assert {name: one["cls"] for name, one in found.items() if one["cls"] > SHIFT_MAX} == {}
