"""What an operator builds a cloud of: zones, pods, clusters, hosts, storage, offerings, settings."""
