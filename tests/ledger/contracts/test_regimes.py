"""Three agreements: who certifies, which claims need a certificate, which import dates each governs."""

from __future__ import annotations

import datetime

import pytest

from ledger.codes import Code
from ledger.contracts import REGIMES, HoldingState, regime_of
from ledger.encoding import Value

C1 = bytes([1]) * 16
C2 = bytes([2]) * 16


def certify(pilot, creator: str, form: str, on: str, certificate: bytes = C1, **changes: Value):
    addressees: list[Value] = [name for name in ("globex", "cbp") if name != creator]
    body: dict[str, Value] = {
        "certificate": certificate,
        "form": form,
        "signed_on": on,
        "blanket": {"from": on, "to": on.replace(on[:4], str(int(on[:4]) + 1)).replace("-02", "-01")},
        "shipment": None,
        "addressees": addressees,
    }
    return pilot.act(creator, "certificate.anchor", body | changes, on=on, document=True)


@pytest.mark.parametrize(
    ("day", "regime"), [("1994-01-01", "NAFTA"), ("2020-06-30", "NAFTA"), ("2020-07-01", "USMCA")]
)
def test_the_import_date_says_which_agreement_governs(day: str, regime: str) -> None:
    governing = regime_of(datetime.date.fromisoformat(day))
    assert governing is REGIMES[regime]
    other = REGIMES["USMCA" if regime == "NAFTA" else "NAFTA"]
    assert governing.governs(datetime.date.fromisoformat(day))
    assert not other.governs(datetime.date.fromisoformat(day))
    assert regime_of(datetime.date.fromisoformat(day), cafta_dr=True) is REGIMES["CAFTA-DR"]


@pytest.mark.parametrize(
    ("regime", "spi", "import_on", "findings"),
    [
        ("NAFTA", "MX", "2020-06-30", ("NO_POSSESSION",)),
        ("NAFTA", "MX", "2020-07-01", ("NO_POSSESSION", "WRONG_REGIME")),
        ("USMCA", "S", "2020-07-01", ()),
        ("USMCA", "S+", "2020-06-30", ("WRONG_REGIME",)),
        ("CAFTA-DR", "P", "2020-06-30", ()),
        ("CAFTA-DR", "P+", "2020-07-01", ()),
        ("CAFTA-DR", "P+", "2006-02-28", ("WRONG_REGIME",)),
    ],
)
def test_a_claim_under_another_agreement_is_a_finding(
    pilot, regime: str, spi: str, import_on: str, findings: tuple[str, ...]
) -> None:
    receipt = pilot.claim(
        "2020-07-02",
        regime=regime,
        spi=spi,
        certificate=None,
        import_on=import_on,
        entry_on="2020-07-02",
    )
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)


@pytest.mark.parametrize(
    ("regime", "spi"), [("NAFTA", "P"), ("NAFTA", "S"), ("CAFTA-DR", "MX"), ("USMCA", "CA"), ("GSP", "A")]
)
def test_an_indicator_of_another_agreement_is_malformed(pilot, regime: str, spi: str) -> None:
    assert pilot.claim(regime=regime, spi=spi, certificate=None).code is Code.MALFORMED


def test_after_importation_knowledge_is_not_enough(pilot) -> None:
    receipt = pilot.claim(kind="claim.file_post", regime="CAFTA-DR", spi="P", certificate=None)
    assert (receipt.code, receipt.findings) == (Code.VALID, ("NO_POSSESSION",))


@pytest.mark.parametrize(
    ("creator", "form", "rule"),
    [
        ("acme", "NAFTA-434", None),
        ("mill", "NAFTA-434", "certificate.anchor/wrong-actor"),
        ("globex", "NAFTA-434", "certificate.anchor/wrong-actor"),
        *((who, form, None) for who in ("rival", "mill", "globex") for form in ("CAFTA-DR", "USMCA")),
    ],
)
def test_who_may_certify(pilot, creator: str, form: str, rule: str | None) -> None:
    receipt = certify(pilot, creator, form, "2020-07-02")
    assert (receipt.code is Code.VALID, receipt.rule) == (rule is None, rule)


def test_customs_and_chambers_certify_nothing(pilot) -> None:
    for name in ("cbp", "chamber", "watcher"):
        assert (
            certify(pilot, name, "CAFTA-DR", "2020-07-02", addressees=["globex"]).code is Code.NOT_AUTHORIZED
        )


def test_an_importer_holds_what_it_certified_itself_from_the_anchoring_on(pilot) -> None:
    claim: dict[str, Value] = {
        "regime": "CAFTA-DR",
        "spi": "P",
        "entry_on": "2020-07-02",
        "import_on": "2020-07-02",
    }
    assert certify(pilot, "globex", "CAFTA-DR", "2020-07-02").code is Code.VALID
    assert pilot.holding_record().state is HoldingState.HELD
    assert pilot.claim("2020-07-02", **claim).findings == ()
    other = pilot.claim("2020-07-02", importer="initech", line=2, **claim)
    assert other.findings == ("NO_POSSESSION",)
    opening: dict[str, Value] = {"certificate": C1, "holder": "globex", "fine": bytes(32)}
    assert pilot.act("cbp", "holding.open", opening).code is Code.VALID
    assert pilot.claim("2020-07-02", line=3, **claim).findings == ("HOLDING_OPEN",)


def test_a_trader_that_signs_as_exporter_under_nafta_holds_nothing_by_that(pilot) -> None:
    pilot.anchor()
    with pytest.raises(AssertionError):
        pilot.holding_record(holder="acme")


def test_a_certificate_of_another_agreement_is_a_finding(pilot) -> None:
    pilot.possess("2020-06-29", signed_on="2020-06-29", blanket={"from": "2020-06-29", "to": "2021-06-28"})
    days: dict[str, Value] = {"import_on": "2020-07-01", "entry_on": "2020-07-01"}
    usmca = pilot.claim("2020-07-02", regime="USMCA", spi="S", **days)
    assert usmca.findings == ("CERTIFICATE_OF_OTHER_REGIME",)
    nafta = pilot.claim("2020-07-02", line=2, **days)
    assert nafta.findings == ("WRONG_REGIME",)


def decided(pilot, liquidated_on: str) -> None:
    pilot.possess()
    pilot.claim()
    assert pilot.decide("claim.liquidate", on=liquidated_on).code is Code.VALID


@pytest.mark.parametrize(("on", "findings"), [("2020-01-11", ()), ("2020-01-12", ("PROTEST_LATE",))])
def test_a_protest_has_180_days_after_liquidation(pilot, on: str, findings: tuple[str, ...]) -> None:
    decided(pilot, "2019-07-15")
    body: dict[str, Value] = {"entry": "ABC-1234567-8", "line": 1, "fine": bytes(32)}
    receipt = pilot.act("globex", "claim.protest", body, on=on, document=True)
    assert (receipt.code, receipt.findings) == (Code.VALID, findings)
    assert pilot.claim_record().state.value == "OFFICIAL_OPEN"


def test_the_time_to_protest_runs_from_the_first_liquidation(pilot) -> None:
    decided(pilot, "2019-07-15")
    body: dict[str, Value] = {"entry": "ABC-1234567-8", "line": 1, "fine": bytes(32)}
    assert pilot.act("globex", "claim.protest", body, on="2019-12-01", document=True).findings == ()
    assert pilot.decide("claim.close").code is Code.VALID
    assert pilot.decide("claim.liquidate").code is Code.VALID
    again = pilot.act("globex", "claim.protest", body, on="2020-01-12", document=True)
    assert again.findings == ("PROTEST_LATE",)


def test_only_its_importer_protests_and_only_what_is_liquidated(pilot) -> None:
    body: dict[str, Value] = {"entry": "ABC-1234567-8", "line": 1, "fine": bytes(32)}
    pilot.possess()
    pilot.claim()
    early = pilot.act("globex", "claim.protest", body, document=True)
    assert early.rule == "claim.protest/impossible-transition"
    assert pilot.decide("claim.liquidate").code is Code.VALID
    foreign = pilot.act("initech", "claim.protest", body, document=True)
    assert foreign.rule == "claim.protest/wrong-actor"


def test_a_closed_claim_may_still_be_corrected_within_thirty_days(pilot) -> None:
    pilot.possess()
    pilot.claim()
    pilot.decide("claim.close")
    body: dict[str, Value] = {
        "entry": "ABC-1234567-8",
        "line": 1,
        "fine": bytes(32),
        "discovered_on": "2018-11-01",
    }
    receipt = pilot.act("globex", "claim.correct", body, on="2018-12-02")
    assert (receipt.code, receipt.findings) == (Code.VALID, ("CORRECTION_LATE",))
    assert pilot.claim_record().state.value == "CORRECTED"
