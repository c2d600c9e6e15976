"""The carnet from application to discharge, and what may not be issued, presented or released."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.codes import Code
from ledger.contracts.carnet import CarnetState, CarnetStatus, carnet_status
from ledger.contracts.deadlines import add_calendar_days

K1, K2 = bytes([1]) * 16, bytes([2]) * 16


def refused(receipt: Any) -> str:
    assert receipt.code is Code.RULE_VIOLATED, receipt
    return str(receipt.rule)


def test_a_carnet_is_applied_for_secured_issued_and_activated(border: Any) -> None:
    for act, state in (
        (border.apply, CarnetState.APPLIED),
        (border.secure, CarnetState.SECURED),
        (border.issue, CarnetState.ISSUED),
        (border.activate, CarnetState.ACTIVE),
    ):
        assert act().code is Code.VALID
        assert border.carnet().state is state
    assert border.goods().home == {1: 10, 2: 4}
    assert border.carnet().guarantor == "council"


def test_only_a_chamber_or_association_of_the_holders_country_is_applied_to(border: Any) -> None:
    for issuer in ("ca-chamber", "cbp", "nobody"):
        assert refused(border.apply(issuer=issuer)) == "carnet.apply/unknown-issuer"
    assert border.apply(issuer="chamber").code is Code.VALID
    assert border.apply(carnet=K1).rule == "carnet.apply/carnet-exists"
    assert border.apply(carnet=K2, holder="watcher").code is Code.NOT_AUTHORIZED


def test_a_chamber_issues_under_the_guarantee_of_its_countrys_association(border: Any) -> None:
    border.apply(issuer="chamber")
    border.secure()
    assert refused(border.issue(issuer="chamber", guarantor="chamber")) == "carnet.issue/unknown-guarantor"
    assert refused(border.issue(issuer="chamber", guarantor="ca-chamber")) == "carnet.issue/unknown-guarantor"
    assert refused(border.issue(issuer="council")) == "carnet.issue/wrong-actor"
    assert border.issue(issuer="chamber", guarantor="council").code is Code.VALID


def test_nothing_is_issued_without_security_and_only_the_holder_gives_it(border: Any) -> None:
    border.apply()
    assert refused(border.issue()) == "carnet.issue/impossible-transition"
    assert refused(border.secure(holder="rival")) == "carnet.secure/wrong-actor"


@pytest.mark.parametrize(
    ("valid_until", "code"),
    [
        ("2019-09-04", Code.VALID),  # the anniversary of the day of issue, 2018-09-04
        ("2019-09-05", Code.RULE_VIOLATED),
        ("2018-09-04", Code.VALID),
        ("2018-09-03", Code.RULE_VIOLATED),
    ],
)
def test_a_carnet_is_valid_for_a_year_at_most(border: Any, valid_until: str, code: Code) -> None:
    border.apply()
    border.secure()
    receipt = border.issue(valid_until=valid_until)
    assert receipt.code is code
    assert code is Code.VALID or receipt.rule == "carnet.issue/validity"


def test_only_home_customs_activates_and_only_while_the_carnet_is_valid(border: Any) -> None:
    border.apply()
    border.secure()
    border.issue()
    assert refused(border.activate(customs="cbsa")) == "carnet.activate/wrong-actor"
    assert border.activate(on="2019-09-03").code is Code.VALID


def test_an_expired_carnet_is_not_activated(border: Any) -> None:
    border.apply()
    border.secure()
    border.issue()
    assert refused(border.activate(on="2019-09-04")) == "carnet.activate/carnet-expired"


def test_a_carnet_is_expired_from_the_day_after_its_last_until_it_is_returned(border: Any) -> None:
    border.make_active()
    record = border.carnet()
    last = record.valid_until
    assert carnet_status(record, last) is CarnetStatus.ACTIVE
    assert carnet_status(record, add_calendar_days(last, 1)) is CarnetStatus.EXPIRED
    border.act("acme", "carnet.return", {"carnet": K1})
    assert carnet_status(border.carnet(), add_calendar_days(last, 1)) is CarnetStatus.RETURNED


def test_goods_go_out_and_come_home_and_the_security_is_released(abroad: Any) -> None:
    returning = {"carnet": K1}
    assert refused(abroad.act("acme", "carnet.return", returning)) == "carnet.return/goods-abroad"
    assert abroad.cross("REEXPORT", "cbsa", [[1, 10], [2, 4]], "2018-11-20", cites=2).findings == ()
    assert refused(abroad.act("acme", "carnet.return", returning)) == "carnet.return/goods-abroad"
    assert abroad.cross("REIMPORT", "cbp", [[1, 10], [2, 4]], "2018-11-21").findings == ()
    assert refused(abroad.act("rival", "carnet.return", returning)) == "carnet.return/wrong-actor"
    assert abroad.act("acme", "carnet.return", returning).code is Code.VALID
    assert refused(abroad.act("chamber", "carnet.discharge", returning)) == "carnet.discharge/wrong-actor"
    assert abroad.act("council", "carnet.discharge", returning).code is Code.VALID
    assert abroad.carnet().state is CarnetState.DISCHARGED


def test_the_security_stays_while_an_import_may_still_be_claimed_on(abroad: Any) -> None:
    abroad.cross("REIMPORT", "cbp", [[1, 10], [2, 4]], "2018-11-21", cites=2)  # Canada endorsed no exit
    abroad.act("acme", "carnet.return", {"carnet": K1})
    assert (
        refused(abroad.act("council", "carnet.discharge", {"carnet": K1}))
        == "carnet.discharge/claim-possible"
    )
    late = abroad.act("council", "carnet.discharge", {"carnet": K1}, on="2020-09-03")
    assert refused(late) == "carnet.discharge/claim-possible"
    assert abroad.act("council", "carnet.discharge", {"carnet": K1}, on="2020-09-04").code is Code.VALID


def test_a_lost_carnet_is_replaced_and_the_old_one_is_dead(abroad: Any) -> None:
    replacing = {"carnet": K1, "successor": K2}
    assert refused(abroad.act("chamber", "carnet.replace", replacing)) == "carnet.replace/wrong-actor"
    assert abroad.act("council", "carnet.replace", replacing).code is Code.VALID
    old, new = abroad.carnet(K1), abroad.carnet(K2)
    assert (old.state, old.successor) == (CarnetState.REPLACED, K2)
    assert (new.state, new.valid_until, new.root, new.origin) == (
        CarnetState.ACTIVE, old.valid_until, old.root, K1,
    )  # fmt: skip
    again = abroad.present("REEXPORT", "cbsa", [[1, 10]], cites=2)
    assert refused(again) == "carnet.present/carnet-replaced"
    on_the_new = abroad.cross("REEXPORT", "cbsa", [[1, 10], [2, 4]], "2018-11-20", cites=2, carnet=K2)
    assert on_the_new.code is Code.VALID
    assert abroad.voucher(2).undischarged == {}
    assert (
        refused(abroad.act("council", "carnet.replace", replacing)) == "carnet.replace/impossible-transition"
    )


def test_an_unused_carnet_may_be_returned(border: Any) -> None:
    border.apply()
    border.secure()
    border.issue()
    assert border.act("acme", "carnet.return", {"carnet": K1}).code is Code.VALID


def test_a_voucher_stands_only_after_activation(border: Any) -> None:
    border.apply()
    border.secure()
    border.issue()
    assert refused(border.present("EXPORT", "cbp", [[1, 1]])) == "carnet.present/impossible-transition"
