"""Settings: one table of name, type, default and help, read from `REGULARS_*` variables.

Only `bootstrap` and the command line read them; everything below is given values.
"""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """All settings of an installation. docs/settings.md is made from this table."""

    model_config = SettingsConfigDict(env_prefix="REGULARS_", extra="ignore")

    home: Path = Field(
        default=Path("~/.regulars"),
        description="Folder of everything that is kept: office.db, shops/, secret.key, imports/.",
    )
    office_url: str = Field(
        default="",
        description="Database of the office as an SQLAlchemy URL. Empty: office.db in the home.",
    )
    host: str = Field(default="127.0.0.1", description="Address on which the app listens.")
    port: int = Field(default=8401, ge=1, le=65535, description="Port on which the app listens.")
    public_url: str = Field(
        default="",
        description="Address under which Shopify and browsers reach the app, like "
        "https://regulars.example.com. Empty: http://HOST:PORT.",
    )
    metrics_days_back: int = Field(
        default=365,
        ge=0,
        le=1095,
        description="Past days whose figures are worked out when a segment is made.",
    )
    api_key: str = Field(default="", description="Client id of your app at Shopify.")
    api_secret: SecretStr = Field(
        default=SecretStr(""), description="Client secret of your app at Shopify; signs webhooks."
    )
    scopes: str = Field(
        default="read_customers,write_customers,read_orders,read_products",
        description="Access scopes the app asks for, separated by commas.",
    )
    shops_allowed: str = Field(
        default="",
        description="Shops that may install the app here, like a.myshopify.com, separated by "
        "commas. Empty: every shop that Shopify sends.",
    )
    simulator_url: str = Field(
        default="",
        description="Address of a pretend Shopify (regulars simulate) to speak to instead of "
        "the real one; only on 127.0.0.1. Empty: the real one.",
    )
    inbox_max: int = Field(
        default=100_000,
        ge=1,
        description="Webhooks that may wait to be applied; beyond it Shopify is asked to repeat.",
    )
    worker_count: int = Field(
        default=3, ge=2, le=32, description="Threads that work off jobs; one is kept for webhooks."
    )
    catch_up_minutes: int = Field(
        default=15, ge=1, description="Minutes between two looks for changes that no webhook told."
    )
    duckdb_memory: str = Field(
        default="1GB", description="Most memory one shop's warehouse may use, like 512MB or 4GB."
    )
    customer_memory_mb: int = Field(
        default=128,
        ge=0,
        le=65_536,
        description="Most memory, in MB, for the customers of one shop who ordered last, about 700 "
        "bytes each: what arrives about them changes their memberships sooner.",
    )
    backups_kept: int = Field(
        default=0,
        ge=0,
        le=365,
        description="Copies to keep of those made daily in the home folder; 0 makes none.",
    )
    smtp_url: str = Field(
        default="",
        description="Mail server for notices, like smtps://name:secret@mail.example.com.",
    )
    log_level: str = Field(
        default="info", description="What is logged: debug, info, warning or error."
    )

    @property
    def home_folder(self) -> Path:
        """The home folder, with `~` filled in."""
        return self.home.expanduser()

    @property
    def database_url(self) -> str:
        """The office's URL."""
        return self.office_url or f"sqlite:///{self.home_folder / 'office.db'}"

    @property
    def address(self) -> str:
        """The address under which the app is reached, without a slash at the end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def as_markdown() -> str:
    """Return the page docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "Every setting is an environment variable. All have a default; none has to be set.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        default = field.get_default()
        shown = default.get_secret_value() if isinstance(default, SecretStr) else str(default)
        told = f"`{shown}`" if shown else "empty"
        lines.append(f"| `REGULARS_{name.upper()}` | {told} | {field.description} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(as_markdown())
