"""Policies side by side: on the same requests and hosts, often enough to say how sure one can be. See docs/compare.md."""

from cloudsim.experiment.compare.analysis import CaseResult, analyse
from cloudsim.experiment.compare.checking import check
from cloudsim.experiment.compare.plan import Case, Plan
from cloudsim.experiment.compare.reading import load, parse
from cloudsim.experiment.compare.record import Record, Records
from cloudsim.experiment.compare.running import Done, run_all

__all__ = ["Case", "CaseResult", "Done", "Plan", "Record", "Records", "analyse", "check", "load", "parse", "run_all"]
