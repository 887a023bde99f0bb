"""Experiments: runs of scenarios beside a served cloud, and the results of runs that were done elsewhere."""
