"""Golden traces: each story in `stories/` plays out today as it did when it was reviewed."""

from pathlib import Path

import pytest

STORIES = sorted(Path(__file__).with_name("stories").glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_the_story_plays_out_as_written(path: Path, request: pytest.FixtureRequest) -> None:
    """`pytest tests/consensus --rewrite-stories` writes what plays out now, to be reviewed as a diff."""
    from tests.consensus.storytelling import played

    told = played(path)
    if request.config.getoption("--rewrite-stories", default=False):
        path.write_text(told)
    assert path.read_text().splitlines() == told.splitlines()


def test_there_are_stories() -> None:
    assert len(STORIES) >= 10


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (
            "cluster 3\nfly 1\n",
            r"a.txt:2: cannot play 'fly 1': no command is called 'fly'; known are campaign",
        ),
        ("cluster 3\n\ncampaign\n", "a.txt:3: .*missing 1 required positional argument"),
        ("cluster 3\ndeliver 1>2\n", "a.txt:2: .*no such message is in flight"),
        ("cluster 3\npersist 1\n", "a.txt:2: .*no write under way"),
        ("cluster 3\nrestart 1\n", "a.txt:2: .*not down"),
        ("cluster 3\ndisk 1 tired\n", "a.txt:2: .*slow or fast, not tired"),
        ("cluster 3\ncrash 1 torn 1\n", "a.txt:2: .*only 0 writes under way"),
        ("cluster 3\ncampaign x\n", "a.txt:2: .*invalid literal"),
    ],
)
def test_a_script_that_cannot_be_played_is_refused_by_line(
    script: str, complaint: str, tmp_path: Path
) -> None:
    from tests.consensus.storytelling import StoryError, played

    path = tmp_path / "a.txt"
    path.write_text(script)
    with pytest.raises(StoryError, match=complaint):
        played(path)


def test_a_story_tells_what_changed_and_forgets_what_was_told_before(tmp_path: Path) -> None:
    from tests.consensus.storytelling import played

    path = tmp_path / "a.txt"
    path.write_text("# why\ncluster 1 pre_vote=off\n  stale line\n\ncampaign 1\npropose 1 x y\n")
    assert played(path).splitlines() == [
        "# why",
        "cluster 1 pre_vote=off",
        "",
        "campaign 1",
        "  1 is candidate in term 1",
        "  1 votes for itself",
        "  1 is leader in term 1",
        "  1 appends [1.1]",
        "  1 knows 1 committed",
        "  1 applies 1.1",
        "propose 1 x y",
        "  1 appends [1.2 x y]",
        "  1 knows 2 committed",
        "  1 applies 1.2 x y",
    ]
