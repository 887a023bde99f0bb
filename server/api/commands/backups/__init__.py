"""Commands of backup and recovery."""
