"""Who uses the cloud: accounts, users, domains, projects, roles, limits, and what each may see."""
