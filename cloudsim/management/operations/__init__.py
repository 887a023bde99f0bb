"""How the cloud is run: settings, jobs, events, tags."""
