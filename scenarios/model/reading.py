"""From a source to a scenario, with all that is wrong at once."""

from __future__ import annotations

import json

from pydantic import ValidationError

from scenarios.errors import Fault, ScenarioError
from scenarios.model.crosscheck import cross_check
from scenarios.model.refusals import faults_of
from scenarios.model.salvage import salvage
from scenarios.model.scenario import Scenario, attach
from scenarios.model.schema import model_schema
from scenarios.model.source import Source


def read_scenario(source: Source) -> Scenario:
    """Return the scenario a source holds.

    The whole file is looked at: what its text, its parts, and the parts together have against it.

    Raises:
        ScenarioError: Anything is wrong; it holds every fault found.
    """
    faults = list(source.faults)
    try:
        scenario = Scenario.model_validate_json(json.dumps(source.value()))
    except ValidationError as error:
        faults.extend(faults_of(error, source, model_schema()))
        faults.extend(_faults_of_rest(source, error))
        raise ScenarioError(faults) from error
    faults.extend(cross_check(scenario, source))
    if faults:
        raise ScenarioError(faults)
    return attach(scenario, source)


def _faults_of_rest(source: Source, error: ValidationError) -> list[Fault]:
    """Return what the checks over the whole find in the parts that are well formed."""
    rest = salvage(source.value(), error)
    try:
        scenario = Scenario.model_validate_json(json.dumps(rest.value))
    except ValidationError:
        return []  # the parts set aside were not the only ones; their faults are reported already
    return cross_check(scenario, source, rest)
