"""Every code tells its receiver what to do."""

from __future__ import annotations

import pytest

from ledger.codes import Code


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_its_own_remedy_which_is_its_docstring(code: Code) -> None:
    assert code.remedy == code.__doc__
    assert code.remedy != Code.__doc__
    assert code.remedy.endswith(".")
    assert [other for other in Code if other.remedy == code.remedy] == [code]


@pytest.mark.parametrize("code", list(Code))
def test_a_code_is_its_own_name_as_text(code: Code) -> None:
    assert code.value == code.name == str(code) == f"{code}"
    assert Code(code.value) is code  # type: ignore[call-arg] # mypy reads the members' __new__


def test_the_codes_are_the_stated_ones() -> None:
    assert sorted(Code) == [
        "BAD_SIGNATURE",
        "DUPLICATE",
        "EXPIRED",
        "MALFORMED",
        "NONCE_REUSED",
        "NOT_AUTHORIZED",
        "OVERLOADED",
        "QUOTA_EXCEEDED",
        "REVOKED_KEY",
        "RULE_VIOLATED",
        "TOO_LARGE",
        "UNKNOWN_ORGANIZATION",
        "VALID",
        "VALIDITY_TOO_LONG",
        "WRONG_NETWORK",
    ]


def test_only_rubbish_leaves_id_and_nonce_free() -> None:
    assert [code for code in Code if code.consumes] == [Code.VALID, Code.NOT_AUTHORIZED, Code.RULE_VIOLATED]


def test_an_unknown_code_is_refused() -> None:
    with pytest.raises(ValueError, match="'FINE' is not a valid Code"):
        Code("FINE")  # type: ignore[call-arg]
