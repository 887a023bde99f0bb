"""Instances: allocated, started, changed, moved, imported, and what they are made with."""
