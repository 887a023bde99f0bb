"""The software of a secondary storage VM: downloads into image stores, files served at signed URLs, uploads taken in.

Python's standard library only, as everything that runs inside a system VM: requests and replies are plain
dictionaries, JSON by their members (`cloudsim.protocol.systemvm`). It keeps nothing of its own: what it was told it can be
told again, and what there is of a file lies in the store.
"""
