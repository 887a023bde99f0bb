"""Commands of what accounts used."""
