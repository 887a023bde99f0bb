"""A cloud's self-service under random use: users of several domains, through the public API, with faults.

Each run is a small simulated datacenter behind its API, in which admins, domain admins, users and projects' members do
what comes into a seeded generator's mind. What must hold is looked at from outside: through the API, by the hosts and
pools, and by an oracle of who may see what that knows nothing of the server's own rules.
"""
