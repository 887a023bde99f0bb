"""Studies of consolidation: a load of instances on hosts, interval by interval, under policies."""
