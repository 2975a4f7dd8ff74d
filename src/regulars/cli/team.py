"""regulars team: who may sign in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from regulars.cli import terminal
from regulars.cli.instants import IN_UTC

app = typer.Typer(help="The people who may sign in.", no_args_is_help=True)

Number = Annotated[int, typer.Argument(help="The number in the list.", metavar="ID")]


@app.command("list")
def index(as_json: terminal.AsJson = False) -> None:
    """List the people and the open invitations."""
    with terminal.connect() as api:
        told = api.get("/team")
    if as_json:
        terminal.tell_json(told)
        return
    people = [(one["id"], one["login"], one["role"], _state(one)) for one in told["people"]]
    invited = [
        (one["id"], one["login"], one["role"], f"invited until {IN_UTC.said(one['expires_at'])}")
        for one in told["invitations"]
    ]
    terminal.tell_table(("ID", "Sign-in name", "Role", "State"), [*people, *invited])


@app.command()
def invite(
    login: Annotated[str, typer.Argument(help="The address to sign in with.")],
    shop: Annotated[
        list[str] | None, typer.Option("--shop", help="A shop to see; may be given many times.")
    ] = None,
    owner: Annotated[bool, typer.Option("--owner", help="Let them do everything.")] = False,
    as_json: terminal.AsJson = False,
) -> None:
    """Make an invitation; its link is shown this once and opens for seven days."""
    asked = {"login": login, "role": "owner" if owner else "member", "shops": shop or []}
    with terminal.connect() as api:
        made = api.post("/team/invitations", asked)
    terminal.tell_json(made) if as_json else terminal.tell(f"Link (shown once): {made['url']}")


@app.command("revoke-invitation")
def revoke_invitation(invitation_id: Number) -> None:
    """Take an invitation back."""
    with terminal.connect() as api:
        api.delete(f"/team/invitations/{invitation_id}")
    terminal.tell(f"Invitation {invitation_id} opens nothing any more.")


@app.command()
def change(
    staff_id: Number,
    role: Annotated[str | None, typer.Option(help="owner or member.")] = None,
    disabled: Annotated[
        bool | None, typer.Option("--shut-out/--let-in", help="Whether they may sign in.")
    ] = None,
    end_second_step: Annotated[
        bool,
        typer.Option(
            "--end-second-step", help="Ask for their password alone until they set it up."
        ),
    ] = False,
) -> None:
    """Change a role, shut somebody out or let them in again, or end their two-step sign-in."""
    asked = {
        "role": role,
        "is_disabled": disabled,
        "has_second_step": False if end_second_step else None,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    with terminal.connect() as api:
        told = api.patch(f"/team/{staff_id}", given)
    terminal.tell(f"{told['login']}: {told['role']}, {_state(told)}")


def _state(person: Mapping[str, Any]) -> str:
    if person["disabled_at"]:
        return "deactivated"
    return "may sign in, in two steps" if person["has_second_step"] else "may sign in"
