"""The console proxy: shows instances' screens and terminals in a browser to whoever has a token for one.

It runs inside console proxy VMs, and in the server's own process for simulated ones; so these modules need Python 3.11's
standard library and the package `websockets`, and nothing else.

    proxy = ConsoleProxy(folder_of_pages)         # service.py
    await proxy.start(port=8080)
    reply = proxy.reply({"type": "GrantConsole", "grant": {...}})   # as cloudsim.protocol.systemvm says, as plain JSON
    await proxy.stop()
"""
