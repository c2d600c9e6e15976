"""The eastern tropical Pacific: its edges, and places on both sides of America."""

from __future__ import annotations

import pytest

from ledger.contracts.fisheries import Position, in_etp, read_position
from ledger.contracts.fisheries.etp import DIVIDE, divide_at


@pytest.mark.parametrize(
    ("text", "inside"),
    [
        ("40.000N 130.000W", True),
        ("40.001N 130.000W", False),
        ("40.000S 100.000W", True),
        ("40.001S 100.000W", False),
        ("10.000N 160.000W", True),
        ("10.000N 160.001W", False),
        ("0.000N 95.000W", True),
        ("0.000S 95.000E", False),
        ("10.000N 179.000E", False),
    ],
)
def test_both_sides_of_every_edge(text: str, inside: bool) -> None:
    assert in_etp(read_position(text)) is inside


@pytest.mark.parametrize(
    ("place", "text", "inside"),
    [
        ("off Baja California", "28.000N 117.000W", True),
        ("Gulf of California", "25.000N 109.500W", True),
        ("off Mazatlan", "23.000N 107.000W", True),
        ("Gulf of Tehuantepec", "15.500N 95.000W", True),
        ("off El Salvador", "13.000N 89.500W", True),
        ("off Costa Rica", "9.500N 86.000W", True),
        ("Gulf of Panama", "8.000N 79.300W", True),
        ("off Ecuador", "2.000S 82.000W", True),
        ("off Peru", "12.000S 78.500W", True),
        ("off Chile", "30.000S 73.000W", True),
        ("Gulf of Mexico", "25.000N 92.000W", False),
        ("Bay of Campeche", "20.000N 94.500W", False),
        ("Gulf of Honduras", "16.200N 88.000W", False),
        ("Caribbean off Nicaragua", "12.500N 82.500W", False),
        ("Caribbean off Limon", "10.300N 82.500W", False),
        ("Caribbean off Colon", "9.800N 79.800W", False),
        ("off Brazil", "20.000S 38.000W", False),
        ("off Argentina", "39.000S 57.000W", False),
        ("Hawaii", "19.000N 156.500W", True),
        ("Indian Ocean", "5.000S 60.000E", False),
    ],
)
def test_the_line_over_land_parts_the_two_oceans(place: str, text: str, inside: bool) -> None:
    assert in_etp(read_position(text)) is inside, place


def test_the_line_runs_from_edge_to_edge_without_a_gap() -> None:
    latitudes = [latitude for latitude, _ in DIVIDE]
    assert latitudes == sorted(latitudes, reverse=True)
    assert (latitudes[0], latitudes[-1]) == (40_000, -40_000)
    assert divide_at(16_050) == -92_400  # half way between two of its points
    with pytest.raises(ValueError, match="outside"):
        divide_at(40_001)


@pytest.mark.parametrize(
    "text", ["8N", "8.25 104.5", "91.000N 10.000W", "8.000N 181.000W", "8.2500N 1.000W", ""]
)
def test_what_is_no_position_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no p"):
        read_position(text)


def test_degrees_without_thousandths_are_whole() -> None:
    assert read_position("8.5N 104W") == Position(8500, -104_000)
