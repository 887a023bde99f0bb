"""High availability of a host as a state machine: CloudStack's states, what happens, and what follows from it."""

from __future__ import annotations

from typing import Literal

HaState = Literal[
    "Disabled",
    "Ineligible",
    "Available",
    "Suspect",
    "Checking",
    "Degraded",
    "Recovering",
    "Recovered",
    "Fencing",
    "Fenced",
]
HaEvent = Literal[
    "EnabledHA",
    "DisabledHA",
    "Eligible",
    "Ineligible",
    "HealthCheckPassed",
    "HealthCheckFailed",
    "PerformActivityCheck",
    "TooFewActivityCheckSamples",
    "ActivityCheckFailureUnderThresholdRatio",
    "ActivityCheckFailureOverThresholdRatio",
    "PeriodicRecheckResourceActivity",
    "RetryRecovery",
    "Recovered",
    "RecoveryOperationThresholdExceeded",
    "RecoveryWaitPeriodTimeout",
    "RetryFencing",
    "Fenced",
]

TRANSITIONS: dict[tuple[HaState, HaEvent], HaState] = {
    ("Disabled", "EnabledHA"): "Available",
    ("Ineligible", "Eligible"): "Available",
    ("Ineligible", "Ineligible"): "Ineligible",
    ("Available", "Ineligible"): "Ineligible",
    ("Available", "HealthCheckPassed"): "Available",
    ("Available", "HealthCheckFailed"): "Suspect",
    ("Suspect", "Ineligible"): "Ineligible",
    ("Suspect", "HealthCheckPassed"): "Available",
    ("Suspect", "PerformActivityCheck"): "Checking",
    ("Checking", "Ineligible"): "Ineligible",
    ("Checking", "TooFewActivityCheckSamples"): "Suspect",
    ("Checking", "ActivityCheckFailureUnderThresholdRatio"): "Degraded",
    ("Checking", "ActivityCheckFailureOverThresholdRatio"): "Recovering",
    ("Degraded", "Ineligible"): "Ineligible",
    ("Degraded", "HealthCheckPassed"): "Available",
    ("Degraded", "HealthCheckFailed"): "Degraded",
    ("Degraded", "PeriodicRecheckResourceActivity"): "Suspect",
    ("Recovering", "Ineligible"): "Ineligible",
    ("Recovering", "HealthCheckPassed"): "Available",
    ("Recovering", "RetryRecovery"): "Recovering",
    ("Recovering", "Recovered"): "Recovered",
    ("Recovering", "RecoveryOperationThresholdExceeded"): "Fencing",
    ("Recovered", "RecoveryWaitPeriodTimeout"): "Available",
    ("Fencing", "Ineligible"): "Ineligible",
    ("Fencing", "HealthCheckPassed"): "Available",
    ("Fencing", "RetryFencing"): "Fencing",
    ("Fencing", "Fenced"): "Fenced",
    ("Fenced", "HealthCheckFailed"): "Fenced",
    ("Fenced", "HealthCheckPassed"): "Ineligible",
}
"""What follows. Besides, DisabledHA leads from every state to Disabled.

A host that is healthy again before it was reset or switched off is Available: CloudStack resets it all the same.
"""
