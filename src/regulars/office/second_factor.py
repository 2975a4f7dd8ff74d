"""The second step of a sign-in: a code of the person's authenticator app, or a recovery code.

Codes follow RFC 6238 with the values that every app knows: six digits, half a minute, SHA-1. The
one before and the one after are taken as well, for clocks that differ; none is taken twice. A
recovery code stands in for a lost phone, once. Sign-in links ask for no code: whoever makes one
is at the machine itself.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import secrets
import unicodedata
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from regulars.errors import InputError, PermissionDenied, Problem, problem
from regulars.office.models.staff import RecoveryCode, SignInStep, Staff
from regulars.office.signing_in import CODE_SECONDS, STEP_MINUTES, half_minute, token_hash
from regulars.sealing import Sealer

DIGITS = 6
#: 160 bits, as RFC 4226 recommends.
SECRET_BYTES = 20
RECOVERY_CODES = 10
#: 120 bits, so that a plain hash keeps them safe (OWASP ASVS 5.0, 6.5.2).
RECOVERY_BYTES = 15
#: Codes that may be tried before the password is asked for again.
TRIES_MAX = 5


def offer(sealer: Sealer, staff: Staff) -> tuple[str, str]:
    """Return a new secret for an authenticator app, and the same sealed.

    The form brings the sealed one back: nothing is stored before a code of it was typed.
    """
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode()
    return secret, base64.urlsafe_b64encode(sealer.seal(secret, _about_offer(staff))).decode()


def offered(sealer: Sealer, staff: Staff, sealed: str) -> str:
    """Return the secret that a form brings back; raises InputError where it is not ours."""
    try:
        return sealer.open(base64.urlsafe_b64decode(sealed), _about_offer(staff))
    except ValueError:
        text = "This form is of another time. Begin again with the new picture."
        raise InputError(problem("factor_offer", text, field="code")) from None


def app_address(staff: Staff, secret: str) -> str:
    """Return the address that tells an authenticator app the secret (`otpauth:`)."""
    return _totp(secret).get_provisioning_uri(staff.login, "Regulars")


def turn_on(
    session: Session, sealer: Sealer, staff: Staff, *, secret: str, code: str, now: datetime
) -> list[str]:
    """Ask this person for codes from now on; returns the recovery codes, which are shown once.

    Raises InputError unless `code` is the app's of this moment.
    """
    step = _step_of(secret, _letters(code), now)
    if step is None:
        raise InputError(_wrong_code())
    staff.factor_secret = sealer.seal(secret, _about(staff))
    staff.factor_used_step = step
    return make_recovery_codes(session, staff)


def turn_off(session: Session, staff: Staff) -> None:
    """Ask for the password alone again."""
    staff.factor_secret = staff.factor_used_step = None
    for row in (RecoveryCode, SignInStep):
        session.execute(delete(row).where(row.staff_id == staff.id))


def make_recovery_codes(session: Session, staff: Staff) -> list[str]:
    """Return new recovery codes in place of all that there were."""
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == staff.id))
    made = [secrets.token_bytes(RECOVERY_BYTES) for _ in range(RECOVERY_CODES)]
    texts = [base64.b32encode(one).decode().lower() for one in made]
    session.add_all(RecoveryCode(code_hash=token_hash(one), staff_id=staff.id) for one in texts)
    return ["-".join(one[at : at + 4] for at in range(0, len(one), 4)) for one in texts]


def recovery_codes_left(session: Session, staff: Staff) -> int:
    """Return how many recovery codes were not used yet."""
    unused = (RecoveryCode.staff_id == staff.id, RecoveryCode.used_at.is_(None))
    return session.scalar(select(func.count()).where(*unused)) or 0


def begin(session: Session, staff: Staff, now: datetime) -> str:
    """Return what the form of the second step brings along, after the right password."""
    token = secrets.token_urlsafe(32)
    expires_at = now + timedelta(minutes=STEP_MINUTES)
    session.execute(delete(SignInStep).where(SignInStep.expires_at <= now))
    session.add(SignInStep(token_hash=token_hash(token), staff_id=staff.id, expires_at=expires_at))
    return token


def take_try(session: Session, token: str, now: datetime) -> Staff:
    """Return whose code is waited for, and count a try; raises PermissionDenied once it is over.

    Committed before `finish` looks at the code: however many are sent at once, five are looked at.
    """
    row, staff = _open_step(session, token)
    if row.expires_at <= now or row.try_count >= TRIES_MAX or staff.disabled_at:
        raise _dead_step()
    row.try_count += 1
    return staff


def finish(session: Session, sealer: Sealer, token: str, *, code: str, now: datetime) -> Staff:
    """Return who gave the right code after `take_try`, and use it up; raises InputError."""
    row, staff = _open_step(session, token)
    if not _is_right(session, sealer, staff, code, now):
        raise InputError(_wrong_code())
    session.delete(row)
    return staff


def seal_anew(session: Session, sealer: Sealer) -> int:
    """Seal every secret with the present key; return how many were sealed with an older one."""
    count = 0
    for staff in session.scalars(select(Staff).where(Staff.factor_secret.is_not(None))):
        sealed = staff.factor_secret
        if sealed is None or sealer.is_present(sealed):
            continue
        # After a restore without its key a secret cannot be opened; recovery codes still do.
        with contextlib.suppress(ValueError):
            staff.factor_secret = sealer.seal(sealer.open(sealed, _about(staff)), _about(staff))
            count += 1
    return count


def _open_step(session: Session, token: str) -> tuple[SignInStep, Staff]:
    row = session.get(SignInStep, token_hash(token), with_for_update=True)
    staff = session.get(Staff, row.staff_id, with_for_update=True) if row else None
    if row is None or staff is None:
        raise _dead_step()
    return row, staff


def _is_right(session: Session, sealer: Sealer, staff: Staff, code: str, now: datetime) -> bool:
    if staff.factor_secret is None:
        return False
    letters = _letters(code)
    if letters.isdecimal():
        step = _step_of(_secret(sealer, staff.factor_secret, staff), letters, now)
        if step is None or step <= (staff.factor_used_step or 0):
            return False
        staff.factor_used_step = step
        return True
    row = session.get(RecoveryCode, token_hash(letters), with_for_update=True)
    if row is None or row.staff_id != staff.id or row.used_at is not None:
        return False
    row.used_at = now
    return True


def _step_of(secret: str, letters: str, now: datetime) -> int | None:
    """Return the half minute that a code belongs to: this one, the one before or the one after."""
    typed, present = letters.encode(), half_minute(now)
    totp = _totp(secret)
    steps = (present, present - 1, present + 1)
    return next(
        (step for step in steps if hmac.compare_digest(totp.generate(step * CODE_SECONDS), typed)),
        None,
    )


def _letters(code: str) -> str:
    """Return a code as it is compared: wide figures, spaces and hyphens are as good as none."""
    plain = unicodedata.normalize("NFKC", code).lower()
    return "".join(letter for letter in plain if letter.isalnum())


def _secret(sealer: Sealer, sealed: bytes, staff: Staff) -> str:
    try:
        return sealer.open(sealed, _about(staff))
    except ValueError:
        text = (
            "Your authenticator app is not known here any more, as after a restore without the "
            "key. Use a recovery code, or ask an owner to end your two-step sign-in."
        )
        raise InputError(problem("factor_lost", text, field="code")) from None


def _totp(secret: str) -> TOTP:
    # The algorithm of the standard, which apps take for granted; no collision helps against it.
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), CODE_SECONDS)  # noqa: S303


def _about(staff: Staff) -> str:
    return f"staff/{staff.id}/factor_secret"


def _about_offer(staff: Staff) -> str:
    return f"staff/{staff.id}/offered_secret"


def _dead_step() -> PermissionDenied:
    text = "The second step of this sign-in took too long or too many tries. Begin again."
    return PermissionDenied(problem("dead_step", text))


def _wrong_code() -> Problem:
    text = "This code is not the one of this moment. Type the six digits that the app shows now."
    return problem("wrong_code", text, field="code")
