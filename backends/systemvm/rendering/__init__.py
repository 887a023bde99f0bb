"""What the host makes of a configuration: rules, files and services, for a system VM to bring about."""
