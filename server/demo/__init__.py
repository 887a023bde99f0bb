"""The cloud that a first `make run` shows: a datacenter of three zones with a day of history.

`story.yaml` (with `datacenter.yaml`) says all of it: who uses the cloud, what they ask of its API and when, and what goes
wrong. The rest of this package tells such a story to a new management server, through the API's own dispatcher, on
simulated time that begins before the present and ends at it.
"""
