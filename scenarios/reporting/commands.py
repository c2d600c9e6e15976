"""The command that tells a run in short and writes its report."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from scenarios.exporting.commands import RunPath
from scenarios.record.runfolder import RunFolder
from scenarios.reporting.items import find, survey_of
from scenarios.reporting.page import read, report_html, story_html
from scenarios.reporting.recorded import Recorded
from scenarios.reporting.stories import stories_of
from scenarios.reporting.told import tell_report, tell_story

REPORT_FILE = "report.html"
EVENTS_AT_END_MAX = 6_000
"""About 0.3 s of a processor; a longer run's report is made when asked for."""


def report(
    run: RunPath,
    *,
    shipment: Annotated[
        str | None,
        Parameter(
            help="Tell the story of one shipment, claim, carnet, form or document, and write it as a page."
        ),
    ] = None,
) -> int:
    """Tell a run in short and write its report, one HTML file, into its folder."""
    folder = RunFolder.at(run)
    recorded = Recorded.at(folder)
    if shipment is not None:
        (story,) = stories_of(recorded, [find(survey_of(recorded).items(), shipment)])
        lines, name, page = tell_story(story), story_file(shipment), story_html(recorded, story)
    else:
        reading = read(recorded)
        lines, name, page = tell_report(reading), REPORT_FILE, report_html(reading)
    for line in lines:
        print(line)
    folder.write_text(name, page)
    print(f"\nwritten    {Path(run) / name}")
    return 0


def write_if_cheap(folder: RunFolder, events: object) -> Path | None:
    """Write the report of a run that has just ended, if it has at most `EVENTS_AT_END_MAX` events.

    Returns:
        The file; None if the run is too long for it to be a matter of course.
    """
    if not isinstance(events, int) or events > EVENTS_AT_END_MAX:
        return None
    folder.write_text(REPORT_FILE, report_html(read(Recorded.at(folder))))
    return folder.path / REPORT_FILE


def story_file(name: str) -> str:
    """Return the name of the file of one story."""
    return f"report-{re.sub(r'[^A-Za-z0-9._-]', '-', name)}.html"
