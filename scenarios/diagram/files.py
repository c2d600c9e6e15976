"""A run's diagram as files: the picture and, beside it under the same name, its words."""

from __future__ import annotations

from pathlib import Path

from scenarios.diagram.drawing import draw
from scenarios.diagram.repeating import Followed
from scenarios.diagram.scene import Scene, scene_of, seconds
from scenarios.diagram.words import words_of
from scenarios.errors import RefusedError, unwritable

FILE = "diagram.svg"
NS_PER_S = 1_000_000_000


def write_diagram(
    followed: Followed, path: Path, from_s: float | None = None, until_s: float | None = None
) -> Scene:
    """Draw a run and write picture and words; return what was drawn.

    Args:
        followed: the run.
        path: of the picture, ending in `.svg`; the words go to the same name ending in `.txt`.
        from_s, until_s: the stretch, in seconds of protocol time since the world opened; chosen where None.

    Raises:
        RefusedError: if the stretch is none, nothing happens in it, or a file cannot be written.
    """
    check_stretch(from_s, until_s)
    whole_s = followed.events[-1].protocol_ns / NS_PER_S
    if from_s is not None and from_s > whole_s:
        raise RefusedError(f"--from {from_s:g}", f"the run ended at {whole_s:.3f} s", "name an earlier time")
    scene = scene_of(
        followed,
        None if from_s is None else round(from_s * NS_PER_S),
        None if until_s is None else round(until_s * NS_PER_S),
    )
    for target, text in (
        (path, draw(scene)),
        (path.with_suffix(".txt"), "\n".join(words_of(scene)) + "\n"),
    ):
        try:
            target.write_text(text, encoding="utf-8")
        except OSError as error:
            raise unwritable(target, error) from error
    return scene


def check_stretch(from_s: float | None, until_s: float | None) -> None:
    """Refuse a stretch that is none.

    Raises:
        RefusedError: if it begins before 0, or ends before it begins.
    """
    for name, value in (("--from", from_s), ("--until", until_s)):
        if value is not None and not value >= 0:
            raise RefusedError(f"{name} {value:g}", "0 seconds or more", "count from the world's opening")
    if from_s is not None and until_s is not None and until_s <= from_s:
        raise RefusedError(f"--from {from_s:g} --until {until_s:g}", "it ends after it begins", "")


def check_picture_path(path: Path) -> None:
    """Refuse a path that no picture can be written to, before time is spent.

    Raises:
        RefusedError: if it does not end in .svg, or its folder is not there.
    """
    if path.suffix != ".svg":
        raise RefusedError(
            f"--out {path}", "a name that ends in .svg", "the words go to the same name with .txt"
        )
    if not path.parent.is_dir():
        raise RefusedError(f"--out {path}: there is no folder {path.parent}", "", "make it or name another")


def tell_diagram(scene: Scene, path: Path) -> list[str]:
    """Return the lines for a terminal: what was drawn, and where it is."""
    rest = f"; {scene.left_out} more in it are not drawn" if scene.left_out else ""
    return [
        f"drawn      {len(scene.arrows)} arrows between {len(scene.lanes)} nodes{rest}",
        f"stretch    {seconds(scene.from_ns)} to {seconds(scene.to_ns)} of {seconds(scene.whole_ns)}",
        *([f"violated   {scene.violation}"] if scene.violation else []),
        f"picture    {path}",
        f"in words   {path.with_suffix('.txt')}",
    ]
