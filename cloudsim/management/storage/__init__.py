"""Disks, volumes, snapshots, templates, and the pools and stores that they lie on."""
