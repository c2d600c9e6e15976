"""What one who sees public events alone concludes from a claim that a customs broker filed."""

from __future__ import annotations

import json

from scenarios.privacy.outsider import infer


def line(kind: str, creator: str, **body: object) -> str:
    return json.dumps(
        {"event": "receipt", "code": "VALID", "type": kind, "creator": creator, "body": json.dumps(body)}
    )


def test_a_brokers_claim_is_counted_as_its_importers() -> None:
    claim = {"entry": "ABC-1234567-8", "line": 1, "certificate": "aa", "import_on": "2018-09-18", "spi": "MX"}
    known = infer(
        [
            line("certificate.anchor", "exporter", certificate="aa"),
            line("claim.file", "swift", **claim, importer_of_record="importer"),
        ]
    )
    assert known.shipments["ABC-1234567-8/1"].importer == "importer"
    assert list(known.pairs) == [("exporter", "importer")]
