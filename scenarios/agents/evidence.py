"""What Customs brings together on one claim, out of its register, its mail and all other claims.

Rules:
- Claims are taken in the order of the log; what came after a claim is never held against it.
- An importer's documents are believed under their roots only; what did not come is not there.
"""

from __future__ import annotations

import datetime

from ledger.contracts import LegalCalendar
from ledger.contracts.parameters import (
    SERIES_NOTICE_CLAIMS_MIN,
    SERIES_WINDOW_CALENDAR_DAYS,
    SMALL_VALUE_USD_MAX,
)
from ledger.forms.lines import unflatten_lines
from scenarios.agents.casefile import CaseFile
from scenarios.agents.entrylines import EntryLines
from scenarios.agents.examination import Billed, Evidence, is_small, six_digits
from scenarios.agents.mail import Mailroom
from scenarios.agents.papers import Paper, PaperError, PaperKind, is_certificate
from scenarios.agents.register import CertificateEntry, ClaimEntry, Register
from scenarios.agents.wallet import Wallet


class Archive:
    """All that Customs has, by claim.

    Args:
        register: what the ledger told.
        mailroom: what was opened, by its subject.
        wallet: what was opened, by its root.
        calendar: of legal dates.

    Attributes:
        patterns: certifier and subheading of goods under a pattern of conduct, to the log index of its notice.
        refused: certificate and importer to whom Customs refused it, to the log index of that.
    """

    def __init__(
        self, register: Register, mailroom: Mailroom, wallet: Wallet, calendar: LegalCalendar
    ) -> None:
        self._register = register
        self._lines = EntryLines(register, mailroom)
        self._wallet = wallet
        self._calendar = calendar
        self.patterns: dict[tuple[str, str], int] = {}
        self.refused: dict[tuple[str, str], int] = {}

    def evidence(self, case: CaseFile) -> Evidence:
        """Return what there is on a claim."""
        claim = case.filed
        certificate = self._register.certificates.get(claim.certificate or "")
        shown = self._shown(case, claim)
        line = self._lines.of(claim)
        return Evidence(
            claim=claim,
            claimed_on=self._calendar.legal_date(claim.filed.time_ms),
            committed=claim.committed,
            certificate=certificate,
            entry_line=line,
            certificate_paper=self._certificate_paper(certificate),
            shown=shown,
            shown_paper=self._certificate_paper(shown),
            billed=self._billed(claim, line),
            is_series=self._is_series(claim, line),
            at_two_ports=self._at_two_ports(claim, line),
            was_refused=self._was_refused(claim, line),
            is_of_pattern=self._is_of_pattern(claim, certificate, line),
        )

    def _paper(self, root: bytes) -> Paper | None:
        opened = self._wallet.opened(root)
        return None if opened is None else Paper.of(opened)

    def _certificate_paper(self, certificate: CertificateEntry | None) -> Paper | None:
        paper = None if certificate is None else self._paper(certificate.root)
        return paper if paper is not None and is_certificate(paper.kind) else None

    def _shown(self, case: CaseFile, claim: ClaimEntry) -> CertificateEntry | None:
        """Return the certificate that the latest answer shows, if it is not the one claimed on."""
        answer = case.answer
        if answer is None or not answer.has("certificate"):
            return None
        shown = self._register.certificates.get(answer.text("certificate"))
        return None if shown is None or shown.id == claim.certificate else shown

    def _billed(self, claim: ClaimEntry, line: Paper | None) -> Billed | None:
        if line is None or not line.has("invoice_root"):
            return None
        root = line.raw("invoice_root")
        paper = self._paper(root)
        if paper is None or paper.kind != PaperKind.INVOICE:
            return None
        same = [earlier for _, earlier in self._lines.on_invoice(root, claim)]
        return Billed(
            paper,
            quantity=sum(each.integer("quantity") for each in (*same, line)),
            value_usd=sum(each.integer("value_usd") for each in (*same, line)),
        )

    def _is_series(self, claim: ClaimEntry, line: Paper | None) -> bool:
        if line is None or not _small(line):
            return False
        window = datetime.timedelta(days=SERIES_WINDOW_CALENDAR_DAYS.value)
        alike = [
            earlier
            for other, earlier in self._lines.of_small_goods(six_digits(line.text("hts")), claim)
            if abs(claim.import_on - other.import_on) <= window
        ]
        total_usd = sum(each.integer("value_usd") for each in (*alike, line))
        return len(alike) + 1 >= SERIES_NOTICE_CLAIMS_MIN.value and total_usd > SMALL_VALUE_USD_MAX.value

    def _at_two_ports(self, claim: ClaimEntry, line: Paper | None) -> bool:
        if line is None or claim.shipment is None:
            return False
        return any(
            other.certificate == claim.certificate and earlier.text("port") != line.text("port")
            for other, earlier in self._lines.of_shipment(claim.shipment, claim)
        )

    def _is_of_pattern(
        self, claim: ClaimEntry, certificate: CertificateEntry | None, line: Paper | None
    ) -> bool:
        if certificate is None or line is None:
            return False
        noticed = self.patterns.get((certificate.issuer, six_digits(line.text("hts"))))
        return noticed is not None and noticed < claim.filed.index

    def _was_refused(self, claim: ClaimEntry, line: Paper | None) -> bool:
        """Whether this importer was refused this certificate, or one for identical goods in a blanket around this."""
        for (certificate_id, importer), refused in self.refused.items():
            certificate = self._register.certificates.get(certificate_id)
            if importer != claim.importer or refused > claim.filed.index or certificate is None:
                continue
            if certificate.id == claim.certificate:
                return True
            if line is None or certificate.blanket is None:
                continue
            first, last = certificate.blanket
            paper = self._certificate_paper(certificate)
            if paper is not None and first <= claim.import_on <= last and _has_good(paper, line):
                return True
        return False


def _small(line: Paper) -> bool:
    try:
        return is_small(line)
    except PaperError:
        return False


def _has_good(certificate: Paper, line: Paper) -> bool:
    """Whether a certificate covers what an entry line is about: the same subheading, and the same article."""
    goods = unflatten_lines(certificate.plain(), "goods").get("goods")
    article = line.text("article") if line.has("article") else ""
    return any(
        six_digits(str(good.get("hs6"))) == six_digits(line.text("hts"))
        and article in str(good.get("description"))
        for good in (goods if isinstance(goods, list) else [])
        if isinstance(good, dict)
    )
