"""The change feed: what changes in the cloud, told as it happens to those who may see it.

    kinds      which rows are what in the API: the key of a list command's answer
    round      the changes of a quarter of a second, one for each thing
    audience   who sees which of them
    feed       collects changes while somebody listens, and hands each listener its own
    stream     one listener: server-sent events, and what ends them

`docs/changes.md` tells it to clients.
"""
