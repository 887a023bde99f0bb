"""Hosts and instances that the operator's own programs see to: extensions."""
