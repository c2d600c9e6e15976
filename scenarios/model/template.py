"""The commented files that `seatrial new` writes: a beginning that passes as it stands."""

from __future__ import annotations

import re
from pathlib import Path

from scenarios.errors import RefusedError

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

YAML = """\
# A scenario of your own. As it stands it passes: `seatrial run ./{name}.yaml`.
# `seatrial validate ./{name}.yaml` names every fault at once, with its line; `seatrial schema > schema.json` gives
# editors the vocabulary. Every word is explained in docs/scenario-files.md.
scenario: {name}
extends: nafta-certificate # its organizations, documents and claims; leave this out to begin with nothing
title: A crash of the leader while the certificate is under way

about: |
  Say what the scenario shows, and where its facts come from.

# calendar:                          # when it plays; dates without an offset are local time in the zone
#   start: "2018-09-04T08:00:00Z"
#   end: "2019-12-31T00:00:00Z"
#   zone: America/New_York

# organizations:                     # merged with those of nafta-certificate
#   importer:                        # slow: so long, drawn from the seed; and silent: it answers nobody
#     agent: {{ acknowledge_after: 1d..3d, answer_after: never }}
#   broker:
#     name: Pacific Gate Customs Brokers
#     country: US
#     roles: [broker]

# What is scripted. All else the organizations' programs do by themselves: acknowledge, answer, decide, liquidate.
# A step begins at a moment (`at`) or when something holds (`when`, and `after: {{ calendar: 2d }}` if later).
steps:
  - {{ at: "2018-09-04T10:00:00", by: exporter, do: issue-certificate, document: c1 }}
  - {{ at: "2018-09-19T09:30:00", by: importer, do: file-claim, claim: e1 }}

# What goes wrong. `for` says on which clock it lasts: protocol (Raft and gossip) or calendar (trade).
faults:
  - {{ when: certificate c1 anchored, for: {{ protocol: 5s }}, kind: crash, target: leader }}
  # - {{ at: {{ calendar: "2018-09-19T09:00:00" }}, for: {{ calendar: 2d }}, kind: partition, target: minority }}
  # - {{ when: claim e1 filed, for: {{ protocol: 10s }}, kind: loss, target: all, params: {{ percent: 20 }} }}

# A check that was not exercised leaves the verdict undecided.
checks: [agreement, durability, decided-once, confidentiality]

# What must come of it, one sentence each; `expect+` would add to those of nafta-certificate.
expect:
  - certificate c1 is HELD by importer within 2 days
  - claim e1 is ALLOWED within 5 days
  - claim e1 has no finding
"""

PYTHON = '''\
"""A scenario of your own. It passes as it stands: `seatrial run ./{name}.py`; see docs/python-scenarios.md."""

# What stands still, as in a scenario file in YAML.
SCENARIO = """
scenario: {name}
extends: nafta-certificate
title: A crash of the leader while the certificate is under way
steps: []
expect: []
checks: [agreement, durability, decided-once, confidentiality]
"""


async def scenario(pilot):
    """What happens: steps, faults, waits, and what must come of it."""
    issuing = pilot.begin("issue-certificate", by="exporter", document="c1")
    await pilot.until("certificate c1 anchored")
    await pilot.fault("crash", target="leader", lasts={{"protocol": "5s"}})
    acts = await issuing.done()
    assert all(act.code == "VALID" for act in acts), acts

    await pilot.at("2018-09-19T09:30:00")
    await pilot.do("file-claim", by="importer", claim="e1")
    pilot.expect("claim e1 is ALLOWED within 5 days")
'''


def write_new(name: str, directory: Path, *, python: bool) -> Path:
    """Write a new scenario's file and return its path.

    Raises:
        RefusedError: if the name is none, there is such a file already, or it cannot be written.
    """
    if _NAME.fullmatch(name) is None:
        raise RefusedError(
            f'"{name[:80]}" is no scenario name',
            "1 to 64 of a-z, 0-9 and hyphen, no hyphen first",
            "choose another",
        )
    path = directory / f"{name}{'.py' if python else '.yaml'}"
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write((PYTHON if python else YAML).format(name=name))
    except FileExistsError as error:
        raise RefusedError(f"{path} exists already", "", "choose another name or move it away") from error
    except OSError as error:
        raise RefusedError(f"{path} cannot be written: {error.strerror}") from error
    return path
