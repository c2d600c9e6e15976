"""What is done on purpose to frames: each mishap by itself, the share it strikes, and calm."""

import random

import pytest

from p2p.frameweather import LATE_S_MAX, FrameWeather, Mishap, Rule

FRAME = bytes(range(64))


def struck(mishap, share=1.0, count=1, seed=1):
    weather = FrameWeather(random.Random(seed))
    weather.add(Rule(mishap, share))
    return weather, [weather.shape(FRAME) for _ in range(count)]


def test_without_rules_nothing_happens_and_nothing_is_drawn():
    chance = random.Random(1)
    before = chance.getstate()
    weather = FrameWeather(chance)
    assert weather.is_calm
    assert weather.shape(FRAME) == [(0.0, FRAME)]
    assert chance.getstate() == before


def test_each_mishap_does_what_it_is_called():
    assert struck(Mishap.DROP)[1] == [[]]
    ((first, late),) = struck(Mishap.DUPLICATE)[1]
    assert first == (0.0, FRAME)
    assert late[1] == FRAME
    assert 0 < late[0] <= LATE_S_MAX
    (((after, data),),) = struck(Mishap.REORDER)[1]
    assert data == FRAME
    assert 0 < after <= LATE_S_MAX
    (((after, data),),) = struck(Mishap.CORRUPT)[1]
    assert (after, len(data)) == (0.0, len(FRAME))
    assert sum(a != b for a, b in zip(data, FRAME, strict=True)) == 1


@pytest.mark.parametrize("share", [0.02, 0.2])
def test_a_share_of_the_frames_is_struck(share):
    weather, outcomes = struck(Mishap.DROP, share, 10_000)
    lost = sum(not outcome for outcome in outcomes)
    assert lost == weather.struck[Mishap.DROP]
    assert share * 0.8 < lost / 10_000 < share * 1.2


def test_rules_end_one_by_one_and_all_at_once():
    weather = FrameWeather(random.Random(1))
    end = weather.add(Rule(Mishap.DROP, 1.0))
    weather.add(Rule(Mishap.CORRUPT, 1.0))
    assert weather.shape(FRAME) == []
    end()
    end()
    assert len(weather.shape(FRAME)) == 1
    weather.replace([])
    assert weather.is_calm


def test_the_same_chance_strikes_the_same_frames():
    assert struck(Mishap.CORRUPT, 0.5, 50, 7)[1] == struck(Mishap.CORRUPT, 0.5, 50, 7)[1]
    assert struck(Mishap.CORRUPT, 0.5, 50, 7)[1] != struck(Mishap.CORRUPT, 0.5, 50, 8)[1]


def test_a_burst_drops_so_many_in_a_row_and_ends_with_its_rule():
    weather = FrameWeather(random.Random(3))
    end = weather.add(Rule(Mishap.BURST_DROP, 0.02, run=5))
    fates = "".join("." if weather.shape(FRAME) else "x" for _ in range(2_000))
    runs = [len(run) for run in fates.split(".") if run]
    assert len(runs) > 20
    assert all(run % 5 == 0 for run in runs[:-1])
    assert weather.struck[Mishap.BURST_DROP] == fates.count("x")
    end()
    assert weather.shape(FRAME) == [(0.0, FRAME)]
