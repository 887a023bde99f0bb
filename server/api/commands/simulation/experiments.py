"""Experiments: policies side by side on one scenario, beside the served cloud, and results that were made elsewhere."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from cloudsim.errors import InvalidParameterValue
from cloudsim.placement.describing import PolicyInfo, installed
from server.api.command import ROOT, Call, Listed, command
from server.api.commands.simulation.clock import console
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import Date, Long, View, date
from server.simulation.console import SIMULATED
from server.simulation.examples import examples
from server.simulation.experiments.asking import LONGEST_SCENARIO, asked
from server.simulation.experiments.found import Found
from server.simulation.experiments.reading import (
    LARGEST_FILE,
    Result,
    comparison_of,
    files_in,
    result_of,
)
from server.simulation.experiments.record import Experiment, Run
from server.simulation.threads import in_thread

GROUP = "Experiment"


class PolicyOptionView(View):
    """An option of a placement policy."""

    name: str | None = None
    default: str | None = None
    takes: Annotated[str | None, "what it takes, in words"] = None


class PolicyView(View):
    """A placement policy."""

    key: ClassVar = "placementpolicy"

    name: str | None = None
    description: Annotated[str | None, "a line"] = None
    details: Annotated[str | None, "all that there is to say of it"] = None
    options: list[PolicyOptionView] | None = None

    @classmethod
    def of(cls, row: PolicyInfo, call: Call) -> Self:
        return cls(
            name=row.name,
            description=row.summary.partition(": ")[2] or row.summary,
            details=row.text,
            options=[PolicyOptionView(**option._asdict()) for option in row.options],
        )


class ScenarioView(View):
    """An example scenario."""

    key: ClassVar = "scenario"

    name: str | None = None
    description: str | None = None
    policy: Annotated[str | None, "its own"] = None
    seed: int | None = None
    format: Annotated[str | None, "of its workload"] = None
    text: Annotated[str | None, "its YAML"] = None


class ExperimentRunView(View):
    """A run of an experiment: a policy, under a seed."""

    number: Annotated[int | None, "from 1"] = None
    policy: str | None = None
    seed: int | None = None
    state: Annotated[str | None, "Queued, Running, Finished, Failed, Cancelled, or Interrupted by the server's end"] = None
    error: str | None = None
    phase: Annotated[str | None, "setting up, running or writing"] = None
    progress: Annotated[float | None, "how much of it is done, from 0 to 1"] = None
    simulated: Annotated[float | None, "seconds that it has simulated"] = None
    horizon: Annotated[float | None, "about how many it will"] = None
    requested: int | None = None
    placed: int | None = None
    rejected: int | None = None
    failed: int | None = None
    instances: Annotated[int | None, "how many run now"] = None
    series: Annotated[
        dict[str, list[float | None]] | None, "columns of what it has told so far, where samples asks for them"
    ] = None

    @classmethod
    def of(cls, row: Run, call: Call) -> Self:
        kept, told = row.kept, row.progress
        going = kept.state == "Running"
        return cls(
            number=kept.number,
            policy=kept.policy,
            seed=kept.seed,
            state=kept.state,
            error=kept.error or None,
            phase=told.phase if going else None,
            progress=round(row.share, 4),
            simulated=round(told.time, 3) if going else None,
            horizon=told.horizon if going else None,
            requested=told.arrived if going else None,
            placed=told.placed if going else None,
            rejected=told.rejected if going else None,
            failed=told.failed if going else None,
            instances=told.running if going else None,
            series=row.samples.as_columns() if call.cache.get("samples") else None,
        )


class ExperimentView(View):
    """An experiment of this server, or results that were made elsewhere."""

    key: ClassVar = "experiment"

    id: str | None = None
    name: str | None = None
    type: Annotated[str | None, "experiment, or of results made elsewhere run or comparison"] = None
    state: Annotated[str | None, "Queued, Running, Finished, Failed, Cancelled, or Interrupted by the server's end"] = None
    created: Annotated[Date | None, "in real time"] = None
    requests: Annotated[int | None, "how many there are in each run"] = None
    progress: Annotated[float | None, "how much of it is done, from 0 to 1"] = None
    policies: list[str] | None = None
    seeds: list[int] | None = None
    run: list[ExperimentRunView] | None = None

    @classmethod
    def of(cls, row: Experiment | Found, call: Call) -> Self:
        if isinstance(row, Found):
            return cls(id=row.id, name=row.name, type=row.kind, state="Finished", created=date(row.created), progress=1.0)
        return cls(
            id=row.id,
            name=row.name,
            type="experiment",
            state=row.state,
            created=date(row.kept.created),
            requests=row.kept.requests,
            progress=round(sum(run.share for run in row.runs) / len(row.runs), 4),
            policies=list(dict.fromkeys(run.policy for run in row.kept.runs)),
            seeds=list(dict.fromkeys(run.seed for run in row.kept.runs)),
            run=[ExperimentRunView.of(run, call) for run in row.runs],
        )


class ResultFileView(View):
    """A file of a result."""

    name: str | None = None
    size: Annotated[Long | None, "bytes"] = None


class ResultView(View):
    """What a run has found; of a comparison, a policy in one of its cases."""

    number: Annotated[int | None, "of the run, from 1"] = None
    policy: str | None = None
    seed: int | None = None
    case: Annotated[str | None, "of a comparison: on which requests and hosts"] = None
    seeds: Annotated[int | None, "how many runs the figures are the means of"] = None
    figures: Annotated[dict[str, float | None] | None, "by name; seconds end with _s, shares are fractions"] = None
    bycause: Annotated[dict[str, int] | None, "why requests were not served"] = None
    series: Annotated[dict[str, list[float | None]] | None, "columns over simulated time, time_s"] = None
    hosts: Annotated[dict[str, Any] | None, "names, times_s, and for each of these what each host holds"] = None
    latencies: Annotated[dict[str, list[float]] | None, "a histogram of the seconds until instances ran"] = None
    file: Annotated[list[ResultFileView] | None, "what getExperimentFile gives"] = None


class ExperimentResultView(View):
    """The results of an experiment, of the runs of it that are finished."""

    key: ClassVar = "experimentresult"

    id: str | None = None
    name: str | None = None
    type: str | None = None
    state: str | None = None
    scenario: Annotated[str | None, "the scenario's or the comparison's YAML"] = None
    result: list[ResultView] | None = None


class ExperimentFileView(View):
    """A file of a result, with what is in it."""

    key: ClassVar = "experimentfile"

    name: str | None = None
    size: Annotated[Long | None, "bytes"] = None
    content: Annotated[str | None, "base64"] = None


@command("listPlacementPolicies", view=PolicyView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def list_placement_policies(call: Call, *, page: Page, name: str | None = None) -> Listed:
    """Lists the placement policies that are installed."""
    return page_of([each for each in installed() if name in (None, each.name)], page)


@command("listScenarios", view=ScenarioView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def list_scenarios(call: Call, *, page: Page, name: str | None = None) -> Listed:
    """Lists the scenarios that come with this server, to be run as they are or after a change."""
    rows = [
        ScenarioView(
            name=each,
            description=" ".join(loaded.scenario.description.split()),
            policy=loaded.scenario.policy_text,
            seed=loaded.scenario.seed,
            format=str(loaded.scenario.workload.__struct_config__.tag),
            text=loaded.text,
        )
        for each, loaded in examples().items()
        if name in (None, each)
    ]
    return page_of(rows, page)


@command("createExperiment", view=ExperimentView, roles=ROOT, group=GROUP, needs=SIMULATED, event="EXPERIMENT.CREATE")
async def create_experiment(
    call: Call,
    *,
    scenario: Annotated[str, Param("the name of a scenario, see listScenarios, or one as YAML", length=LONGEST_SCENARIO)],
    policies: Annotated[
        Sequence[str], Param("placement policies; one with options as name;option=value", length=1000)
    ],
    seeds: Annotated[Sequence[int] | None, Param("a run of each policy for each; by default the scenario's own")] = None,
    name: Annotated[str | None, Param("by default the scenario's", length=100)] = None,
) -> Experiment:
    """Runs placement policies on the same requests, each run in a process of its own beside the cloud."""
    chosen = [each.replace(";", ",") for each in policies]
    experiment: Experiment = await console(call).experiments.create(asked(scenario, chosen, seeds, name))
    return experiment


@command("listExperiments", view=ExperimentView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def list_experiments(
    call: Call,
    *,
    page: Page,
    id: Annotated[str | None, Param(type="uuid")] = None,
    state: str | None = None,
    samples: Annotated[bool, Param("also what each run has told so far")] = False,
) -> Listed:
    """Lists experiments, the newest first, and then results that were made elsewhere."""
    call.cache["samples"] = samples
    rows: list[Experiment | Found] = [*console(call).experiments.all(), *console(call).found()]
    states = {row.id: row.state if isinstance(row, Experiment) else "Finished" for row in rows}
    wanted = None if state is None else state.capitalize()
    return page_of([row for row in rows if id in (None, row.id) and wanted in (None, states[row.id])], page)


@command("deleteExperiment", roles=ROOT, group=GROUP, needs=SIMULATED, event="EXPERIMENT.DELETE")
async def delete_experiment(call: Call, *, id: Annotated[str, Param(type="uuid")]) -> None:
    """Ends an experiment, and removes what it has found."""
    experiment = _experiment(call, id)
    if isinstance(experiment, Found):
        raise InvalidParameterValue(f"Parameter id: {experiment.name} was made elsewhere, and is not deleted from here")
    await console(call).experiments.delete(experiment)


@command("getExperimentResult", view=ExperimentResultView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def get_experiment_result(
    call: Call,
    *,
    id: Annotated[str, Param(type="uuid")],
    runs: Annotated[
        Sequence[int] | None, Param("numbers of the runs whose columns are wanted, too; figures are of all")
    ] = None,
) -> ExperimentResultView:
    """Shows what the finished runs of an experiment have found."""
    experiment = _experiment(call, id)
    whole = set(runs or ())
    try:
        results, text = await in_thread(_read, experiment, whole)
    except (OSError, ValueError, KeyError) as error:
        raise InvalidParameterValue(f"Parameter id: the results cannot be read: {error}") from None
    unknown = sorted(whole - {result.number or 0 for result in results})
    if unknown:
        raise InvalidParameterValue(f"Parameter runs: there is no finished run {unknown[0]}")
    shown = ExperimentView.of(experiment, call)
    return ExperimentResultView(
        id=shown.id, name=shown.name, type=shown.type, state=shown.state, scenario=text, result=results
    )


@command("getExperimentFile", view=ExperimentFileView, roles=ROOT, group=GROUP, needs=SIMULATED)
async def get_experiment_file(
    call: Call,
    *,
    id: Annotated[str, Param(type="uuid")],
    run: Annotated[int, Param("the number of the run; of a comparison all are those of the whole")] = 1,
    file: Annotated[str, Param("a name that getExperimentResult tells")],
) -> ExperimentFileView:
    """Gives a file of a finished run."""
    folder = _folder(_experiment(call, id), run)
    files = await in_thread(files_in, folder) if folder is not None and folder.is_dir() else {}
    size = files.get(file)
    if folder is None or size is None:
        raise InvalidParameterValue(f"Parameter file: expected one of {', '.join(files) or 'none'}, got {file[:60]!r}")
    if size > LARGEST_FILE:
        raise InvalidParameterValue(f"Parameter file: {file} is of {size} bytes, more than the {LARGEST_FILE} that can be had")
    content = await in_thread((folder / file).read_bytes)
    return ExperimentFileView(name=file, size=len(content), content=base64.b64encode(content).decode())


def _experiment(call: Call, experiment_id: str) -> Experiment | Found:
    found = console(call).experiments.get(experiment_id) or next(
        (each for each in console(call).found() if each.id == experiment_id), None
    )
    if found is None:
        raise InvalidParameterValue(f"Parameter id: there is no experiment {experiment_id[:40]!r}")
    return found


def _folder(experiment: Experiment | Found, number: int) -> Path | None:
    """Where the results of a finished run are."""
    if isinstance(experiment, Found):
        return experiment.folder
    finished = (run for run in experiment.kept.runs if run.number == number and run.state == "Finished")
    return next((experiment.out(run) for run in finished), None)


def _read(experiment: Experiment | Found, whole: set[int]) -> tuple[list[ResultView], str]:
    """In a thread: the results, with columns of those in `whole`, and the text that was run."""
    if isinstance(experiment, Experiment):
        shown = []
        for run in experiment.kept.runs:
            if run.state == "Finished":
                folder = experiment.out(run)
                result = result_of(folder, whole=run.number in whole)
                result.policy = run.policy
                shown.append(_shown(run.number, result, folder, run.seed))
        return shown, experiment.text
    folder = experiment.folder
    if experiment.kind == "run":
        result = result_of(folder, whole=1 in whole)
        seed = result.figures.get("seed")
        text = (folder / "scenario.yaml").read_text(encoding="utf-8")
        return [_shown(1, result, folder, None if seed is None else int(seed))], text
    results = comparison_of(folder, whole=whole)
    text = (folder / "spec.yaml").read_text(encoding="utf-8")
    return [_shown(number, result, folder, None) for number, result in enumerate(results, 1)], text


def _shown(number: int, result: Result, folder: Path, seed: int | None) -> ResultView:
    return ResultView(
        number=number,
        policy=result.policy,
        seed=seed,
        case=result.case or None,
        seeds=result.seeds,
        figures=result.figures,
        bycause=result.causes,
        series=result.series,
        hosts=result.hosts,
        latencies=result.latencies,
        file=[ResultFileView(name=name, size=size) for name, size in files_in(folder).items()],
    )
