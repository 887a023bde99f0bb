"""What the command line of agents needs: options, and where they are kept."""
