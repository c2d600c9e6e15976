"""The behaviors of agents as a page: every fraud with who can commit it, what catches it, and who writes which form.

Rules:
- The page is made of the tables that run; a test holds it to them.
"""

from __future__ import annotations

from scenarios.model.behaviors import MISCONDUCT
from scenarios.model.misdeeds import WRITTEN

_HEAD = """# What agents do wrong

This page is made of the program's own tables (`python -m scenarios.pages`); a test holds it to them. Every agent is
prompt, slow or silent as its durations say ([scenario files](scenario-files.md#what-agents-do-by-themselves)). Beyond
that a scenario may have it commit frauds and make mistakes:

```yaml
agent:
  dishonest: { swaps-serial-number: 0.2, inflates-quantity: { rate: 0.1, fields: [value_usd] } }
  careless: { voucher/marks: 0.05, criterion: 0.1 }
```

A list, `dishonest: [back-dates]`, is always. Rates are drawn from the agent's own stream of chance, where there is
occasion. Each deed is told to the observer alone (`noncompliance.done`, [run folder](run-folder.md)); no organization's
program reads that, so what an authority finds, it finds by the rules. What the ledger refuses it then
does as it should.

## Frauds

| kind | who | what it does | caught as | by whom, and how | source |
|---|---|---|---|---|---|
"""


def behaviors_page() -> str:
    """Return the page in Markdown."""
    lines = []
    for kind, row in MISCONDUCT.items():
        caught = ", ".join(f"`{code}`" for code in row.caught_by) or "by nobody"
        chosen = f" (`fields`: {', '.join(row.fields)})" if row.fields else ""
        roles = ", ".join(row.roles)
        lines.append(f"| `{kind}` | {roles} | {row.does}{chosen} | {caught} | {row.how} | {row.source} |")
    forms = [
        f"| `{form}` | {', '.join(roles)} | {', '.join(fields)} |"
        for form, (roles, fields) in WRITTEN.items()
    ]
    mistakes = (
        "\n## Mistakes\n\nA spoilt tariff number is another well-formed one, an amount has a digit too many, and any"
        " other field, or a nought, is left out.\nWhat stands on the ledger is never spoilt.\n\n"
        "| form | who writes it | fields |\n|---|---|---|\n"
    )
    return _HEAD + "\n".join(lines) + "\n" + mistakes + "\n".join(forms) + "\n"
