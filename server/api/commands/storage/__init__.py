"""Volumes, snapshots, and snapshots of instances."""
