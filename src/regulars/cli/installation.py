"""regulars backup, restore, health, renew-key: looking after an installation."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from regulars.cli import terminal
from regulars.cli.instants import IN_UTC
from regulars.errors import InputError, problem


def commands(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command()(backup)
    app.command()(restore)
    app.command()(health)
    app.command("renew-key")(renew_key)


def backup(
    to: Annotated[
        Path | None, typer.Option(help="Folder for copies; the home's own without it.")
    ] = None,
    keep: Annotated[int | None, typer.Option(min=1, help="Remove all but the newest N.")] = None,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Copy the key of tokens too; guard that copy.")
    ] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Copy the installation, also while the app runs."""
    asked = {"folder": str(to.resolve()) if to else None, "keep": keep, "with_key": with_key}
    with terminal.connect() as api, terminal.progress("Copying", quiet=as_json) as seen:
        job = api.post("/installation/backups", asked)
        path = f"/installation/jobs/{job['id']}"
        over = api.wait(path, lambda one: one["state"] in {"succeeded", "given_up"}, seen)
    if over["state"] == "given_up":
        raise InputError(problem("job_given_up", "{reason}", reason=over["problem"]))
    if as_json:
        terminal.tell_json(over["result"])
        return
    terminal.tell(f"Copied to {over['result']['folder']} ({over['result']['bytes']:,} bytes).")
    if not with_key:
        terminal.tell("Keep secret.key as well, in another place: tokens open with it alone.")


def restore(
    backup: Annotated[Path, typer.Argument(help="The folder of one copy.", metavar="FOLDER")],
    key: Annotated[
        Path | None, typer.Option(help="secret.key, where the copy has none.", metavar="FILE")
    ] = None,
    as_json: terminal.AsJson = False,
) -> None:
    """Make a new home folder (REGULARS_HOME) out of a copy; one that holds anything is refused."""
    from regulars.bootstrap.restoring import restore as bring_back
    from regulars.settings import Settings

    done = bring_back(backup, settings=Settings(), key=key)
    if as_json:
        terminal.tell_json({"home": str(done.home), "shops": done.shops, "has_key": done.has_key})
        return
    terminal.tell(f"Restored to {done.home}.")
    for name, count in done.shops.items():
        terminal.tell(f"{name}: {count:,} customers")
    if not done.has_key:
        terminal.tell("Without the key, access tokens were taken out: connect the shops again.")


def health(as_json: terminal.AsJson = False) -> None:
    """Tell how well the installation is; exit code 2 where something needs attention."""
    with terminal.connect() as api:
        told = api.get("/installation/health")
    if as_json:
        terminal.tell_json(told)
    else:
        _tell(told)
    wrong = list(_wrong(told))
    if wrong:
        raise InputError(*wrong)


def _tell(told: dict[str, Any]) -> None:
    terminal.tell(f"Regulars {told['version']}, {told['free_bytes']:,} bytes free")
    backed_up_at = told["backed_up_at"]
    copied = IN_UTC.said(backed_up_at) if backed_up_at else "none in the home folder"
    terminal.tell(f"Last backup: {copied}")
    if told["backup_problem"]:
        terminal.tell(f"The newest backup failed: {told['backup_problem']}")
    caught_up, webhook, proved = map(IN_UTC.head, ("Caught up", "Last webhook", "Proved"))
    columns = ("Shop", "Connection", caught_up, webhook, "Waiting", "Parked", proved)
    terminal.tell_table(columns, map(_row, told["shops"]))


def _row(one: dict[str, Any]) -> tuple[object, ...]:
    return (
        one["name"],
        one["connection"],
        IN_UTC.cell(one["caught_up_at"]),
        IN_UTC.cell(one["last_webhook_at"]),
        one["waiting_count"],
        one["parked_count"],
        IN_UTC.cell(one["proved_at"]),
    )


def _wrong(told: dict[str, Any]) -> Any:
    if told["office_check"] != "ok":
        text = "The office does not pass its check ({found}). Stop the app and restore a backup."
        yield problem("office_damaged", text, found=told["office_check"])
    if told["audit_broken_at"] is not None:
        text = "Entry {number} does not fit the one before it: the log was changed."
        yield problem("audit_broken", text, number=told["audit_broken_at"])
    for one in told["shops"]:
        if one["connection"] in {"disconnected", "without_token"}:
            yield problem("shop_not_connected", "{shop} is not connected.", shop=one["name"])
        if one["parked_count"]:
            text = "{count} webhooks of {shop} were put aside. Look at: regulars live show"
            count = one["parked_count"]
            yield problem("webhooks_parked", text, count=count, shop=one["name"])
        if one["wrong_count"]:
            text = "{count} segments of {shop} are not what an evaluation from nothing finds."
            count = one["wrong_count"]
            yield problem("members_wrong", text, count=count, shop=one["name"])


def renew_key() -> None:
    """Seal every token and secret with a new key."""
    with terminal.connect() as api:
        told = api.post("/installation/secrets/renewal")
    terminal.tell(f"{told['count']} secrets are sealed with the new key. Back secret.key up.")
