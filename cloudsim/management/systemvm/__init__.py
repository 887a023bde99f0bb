"""System VMs: deployed, watched, replaced; and the services that they give to networks, consoles and storage."""
