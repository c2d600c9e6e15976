"""Print the JSON Schema of scenario files.

`python -m scenarios.model > scenarios/library/scenario.schema.json` renews the library's copy.
"""

from __future__ import annotations

import sys

from scenarios.model.schema import schema_text

if __name__ == "__main__":
    sys.stdout.write(schema_text())
