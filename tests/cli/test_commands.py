"""The command line: the same answers from an app of its own and from a running one."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from regulars.bootstrap import find_running, open_runtime
from regulars.bootstrap.serving import serving


def test_a_right_query_has_no_errors(regulars):
    told = regulars("query", "check", "amount_spent > 3", "--json")

    assert (told.code, told.json) == (0, {"errors": [], "notes": []})


def test_a_wrong_query_tells_everything_about_each_error(regulars):
    told = regulars("query", "check", "amount_spnt > 3", "--json")

    (error,) = told.json["errors"]
    assert told.code == 2
    assert error == {
        "code": "unknown_attribute",
        "message": 'There is no attribute "amount_spnt". Did you mean `amount_spent`?',
        "line": 1,
        "column": 0,
        "length": 11,
        "suggestion": "amount_spent",
    }


def test_a_wrong_query_is_marked_for_a_person(regulars):
    told = regulars("query", "check", "amount_spnt > 3")

    assert told.code == 2
    assert told.err.splitlines()[:2] == ["amount_spnt > 3", "^^^^^^^^^^^"]


def test_a_query_is_said_in_words(regulars):
    english = regulars("query", "describe", "number_of_orders >= 2")
    japanese = regulars("query", "describe", "number_of_orders >= 2", "--language", "ja", "--json")

    assert english.code == japanese.code == 0
    assert "2" in english.out
    assert japanese.json["description"] not in english.out


def test_an_import_tells_rows_and_where_the_others_are(basic):
    assert basic["orders"]["rows"] == 4
    assert basic["orders"]["rejected_rows"] == 1
    assert basic["rejects"].endswith(".csv")


def test_counting_tells_count_universe_and_instant(regulars, basic):
    told = regulars("count", "number_of_orders >= 2", "--shop", "basic", "--json")

    assert told.code == 0
    assert (told.json["count"], told.json["universe"]) == (1, 2)
    assert sorted(told.json) == ["as_of", "count", "universe"]


def test_a_past_day_is_counted_to_its_end(regulars, basic):
    counts = [
        regulars("count", "number_of_orders >= 1", "--shop", "basic", "--as-of", day, "--json").json
        for day in ("2026-01-04", "2026-01-05", "2026-01-20")
    ]

    assert [told["count"] for told in counts] == [0, 1, 2]
    assert counts[0]["as_of"] == "2026-01-04"


def test_segments_are_made_listed_renamed_and_deleted(regulars, basic):
    shop = ("--shop", "basic")
    made = regulars(
        "segments", "create", *shop, "--name", "Twice", "--query", "number_of_orders = 2", "--json"
    )
    assert (made.code, made.json["state"], made.json["member_count"]) == (0, "ready", 1)

    members = regulars("segments", "members", "twice", *shop, "--json")
    assert members.json["count"] == 1
    assert members.json["customers"][0]["id"] == "ana"

    regulars("segments", "rename", made.json["id"], *shop, "--name", "Two")
    listed = regulars("segments", "list", *shop, "--json").json["segments"]
    assert [one["name"] for one in listed] == ["Two"]

    assert regulars("segments", "delete", "Two", *shop).code == 0
    assert regulars("segments", "list", *shop, "--json").json == {"segments": []}
    assert regulars("segments", "restore", made.json["id"], *shop).code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("count", "number_of_orders = 1", "--shop", "nope"), 'There is no shop "nope"'),
        (("segments", "members", "7", "--shop", "basic"), "There is no segment 7"),
        (
            ("count", "number_of_orders = 1", "--shop", "basic", "--as-of", "soon"),
            '"soon" is not a day',
        ),
        (("import", "--shop", "basic", "--orders", "/no/such/file"), "There is no file"),
        (("import", "--shop", "Big Shop", "--orders", __file__), "lowercase letters"),
        (("sync", "--shop", "basic"), "was made of files"),
        (("segments", "create", "--shop", "basic", "--name", "", "--query", "x"), "needs a name"),
    ],
)
def test_wrong_input_says_what_to_do_and_leaves_with_2(regulars, basic, words, says):
    told = regulars(*words)

    assert (told.code, told.out) == (2, "")
    assert says in told.err


def test_a_missing_option_leaves_with_2(regulars):
    assert regulars("count", "number_of_orders = 1").code == 2


def test_a_home_that_cannot_be_made_is_named(regulars, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REGULARS_HOME", str(tmp_path / "file" / "home"))

    told = regulars("shops", "list")

    assert told.code == 2
    assert "cannot be written" in told.err
    assert "REGULARS_HOME" in told.err


def test_a_home_that_another_process_has_is_left_alone(regulars, tmp_path):
    with open_runtime(tmp_path / "home"):
        told = regulars("shops", "list")

    assert told.code == 2
    assert "Another Regulars has" in told.err


def test_a_taken_port_is_named(regulars):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        told = regulars("serve", "--port", other.getsockname()[1])

    assert told.code == 2
    assert "--port" in told.err


def test_commands_go_through_the_running_app(regulars, basic, tmp_path):
    home = tmp_path / "home"
    alone = regulars("count", "number_of_orders >= 1", "--shop", "basic", "--json").json
    with (
        open_runtime(home) as runtime,
        serving(runtime, host="127.0.0.1", port=0) as app,
        app.in_background(),
    ):
        assert (home / "run.json").stat().st_mode & 0o777 == 0o600
        running = regulars("count", "number_of_orders >= 1", "--shop", "basic", "--json").json
        made = regulars(
            "segments",
            "create",
            "--shop",
            "basic",
            "--name",
            "A",
            "--query",
            "number_of_orders = 1",
        )

    assert running["count"] == alone["count"] == 2
    assert "1 member (ready)" in made.out
    assert find_running(home) is None


def test_what_a_stopped_app_left_behind_is_no_hindrance(regulars, basic, tmp_path):
    (tmp_path / "home" / "run.json").write_text('{"url":"http://127.0.0.1:9","token":"x","pid":1}')

    assert regulars("shops", "list").code == 0


def test_help_loads_nothing_heavy():
    code = (
        "import sys; from regulars.cli.main import build_app; build_app();"
        "heavy = {'duckdb', 'fastapi', 'sqlalchemy', 'pydantic', 'httpx', 'numpy'};"
        "sys.stdout.write(','.join(sorted(heavy & set(sys.modules))))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_sign_in_link_is_told_with_how_long_it_works(regulars):
    told = regulars("sign-in-link", "--json")

    assert told.code == 0
    assert told.json["url"].startswith("http://127.0.0.1:8401/sign-in/")
    assert told.json["minutes"] == 15


def test_an_upload_answers_with_its_ledger(regulars, basic, tmp_path):
    file = tmp_path / "guests.csv"
    file.write_text("Customer ID\nana\nbo\nana\nnobody\n")

    told = regulars("segments", "upload", file, "--shop", "basic", "--name", "Guests", "--json")

    assert told.code == 0, told.err
    ledger = {
        "rows": 4, "matched": 2, "duplicate": 1, "not_found": 1, "ambiguous": 0, "invalid": 0,
    }  # fmt: skip
    assert list(told.json.items()) == list(ledger.items())
    shown = regulars("segments", "show", "Guests", "--shop", "basic", "--json").json
    assert (shown["kind"], shown["member_count"]) == ("csv", 2)
