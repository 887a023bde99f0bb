"""What the management server decides and orchestrates, a module for each concern."""
