"""Scenario, run, result: experiments on a whole cloud in a simulated world."""
