"""Backup and recovery of instances: providers and their repositories, offerings, backups and schedules."""
