"""Instances, and what they are deployed with."""
