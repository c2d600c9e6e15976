"""Privacy told to people: who may read what of a run and could, and what outsiders can infer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scenarios.errors import RefusedError
from scenarios.record.runfolder import RunFolder

SUBJECT = "privacy"
COUNT_WIDTH = 6
_COLUMNS = (
    ("documents", "documents"),
    ("may read", "may"),
    ("could", "could"),
    ("not delivered", "undelivered"),
    ("purged", "purged"),
)
_INFERRED = (
    ("who supplies whom, of {} pairs", "pairs", "pairs_recall", "pairs_precision", "found {}, right {}"),
    ("shipments per pair and month, of {}", "shipments", "shipments_per_month_error", None, "off by {}"),
    ("days between shipments", None, "rhythm_error_days", None, "off by {} days"),
    ("order of pairs by value", None, "volume_rank_correlation", None, "rank correlation {}"),
    ("whose claims are looked into, of {}", "inquiries", "inquiries_attributed", None, "found {}"),
    ("whose origin is verified, of {}", "verified_parties", "verified_parties_known", None, "found {}"),
    (
        "how claims are decided, of {}",
        "decisions",
        "decisions_guessed",
        "decisions_guessed_blind",
        "{}, blind {}",
    ),
    (
        "whose certificate is questioned, of {}",
        "holdings_questioned",
        "holdings_questioned_known",
        None,
        "found {}",
    ),
    ("tariff number", None, "hts_guessed", "hts_guessed_blind", "{}, blind {}"),
    ("quantity", None, "quantity_guessed", "quantity_guessed_blind", "{}, blind {}"),
    ("value", None, "value_usd_guessed", "value_usd_guessed_blind", "{}, blind {}"),
    (
        "kind of document, by envelope size",
        None,
        "kind_by_size_guessed",
        "kind_by_size_guessed_blind",
        "{}, blind {}",
    ),
    ("holders of carnets, of {}", "carnets", "carnet_holders_known", None, "found {}"),
)


def privacy_line(figures: Mapping[str, object]) -> str:
    """Return what a run says of privacy in one line."""
    pairs, right, leaks = (figures[f"privacy_{name}"] for name in ("pairs", "as_entitled", "leaks"))
    leaked = "1 leak" if leaks == 1 else f"{leaks} leaks"
    return f"{right:,} of {pairs:,} field readings as entitled; {leaked}"


def tell_privacy(folder: RunFolder) -> Iterator[str]:
    """Give the lines that tell of a run's privacy.

    Raises:
        RefusedError: if the folder does not tell of it.
    """
    readings, inferred = (_block(folder, name) for name in ("verdict.json", "metrics.json"))
    accounts = readings.get("organizations")
    if not isinstance(accounts, dict):
        raise RefusedError(f"{folder.path / 'verdict.json'}: no privacy block", "", "run the scenario again")
    yield "Private fields, by organization"
    width = max([len("organization"), *map(len, accounts)])
    yield f"{'organization':<{width}}" + "".join(f"  {title:>{_width(title)}}" for title, _ in _COLUMNS)
    for name, account in accounts.items():
        yield f"{name:<{width}}" + "".join(f"  {account[key]:>{_width(title)},}" for title, key in _COLUMNS)
    yield ""
    yield privacy_line({f"privacy_{key}": value for key, value in readings.items()})
    yield ""
    yield "What a member that is party to nothing can tell from public facts"
    told = [line for row in _INFERRED for line in _inferred(inferred, *row)]
    yield from told or ["nothing: there was no trade"]
    yield "(blind: guessed without looking; see docs/privacy.md)"


def _width(title: str) -> int:
    return max(len(title), COUNT_WIDTH)


def _inferred(
    figures: Mapping[str, object], title: str, count: str | None, one: str, other: str | None, words: str
) -> Iterator[str]:
    """Give the line of one row; none if there was no case of it."""
    if figures.get(one) is None:
        return
    shown = [
        f"{figures[name]:.2f}" for name in (one, other) if name is not None and figures[name] is not None
    ]
    if len(shown) < words.count("{}"):
        return
    yield f"  {title.format(figures.get(count or '')):<38}{words.format(*shown)}"


def _block(folder: RunFolder, name: str) -> Mapping[str, object]:
    block = folder.read_json(name).get(SUBJECT)
    if not isinstance(block, dict):
        raise RefusedError(
            f"{folder.path / name}: no {SUBJECT} block",
            "",
            "it is of an earlier version; run the scenario again",
        )
    return block
