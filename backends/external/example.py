"""The program that a new extension begins with: it does nothing, and says of every operation what it is told and answers."""

EXAMPLE = '''#!/usr/bin/env python3
"""An extension: the cloud runs it as PROGRAM OPERATION PAYLOAD TIMEOUT.

PAYLOAD is a JSON file, TIMEOUT the seconds after which the program is ended. It answers with one JSON object on its
standard output. An exit code other than 0, or {"status": "error", "message": "..."}, says that it could not.

As it is, it knows no instances and does nothing: write what you want in the functions below.
"""

import json
import sys


def prepare(payload):
    """Before an instance starts, if the extension was made with orchestratorrequirespreparevm=true.

    The answer may say what MAC addresses its cards get: {"nics": [{"uuid": "...", "mac": "02:00:00:00:00:01"}]}
    """
    return {}


def create(payload):
    """Make the instance of payload["virtualmachinename"] and start it.

    payload["cloudstack.vm.details"] says what it is: cpus, cpuspeed (MHz), memory (MiB), nics, ...
    payload["externaldetails"] holds what was configured: of the extension, of its registration with the cluster
    (resourcemap), of the host, and of the instance with its template and offering (virtualmachine).
    """
    return {}


def start(payload):
    """Start an instance that create has made, and stop has stopped."""
    return {}


def stop(payload):
    """Stop it; one that does not run is no error. payload["forced"]: do not ask its guest."""
    return {}


def reboot(payload):
    """Restart it."""
    return {}


def delete(payload):
    """Remove it for good; one that is not there is no error."""
    return {}


def status(payload):
    """Whether it runs: power_state is poweron, poweroff or unknown."""
    return {"power_state": "unknown"}


def statuses(payload):
    """The same of all instances on the host, by name; without this operation each is asked for by status."""
    return {"power_state": {}}


def getconsole(payload):
    """Where its screen is, by VNC: host and port, and a password if there is one."""
    raise NotImplementedError("there are no consoles")


def main():
    operation, payload_file = sys.argv[1], sys.argv[2]
    with open(payload_file, encoding="utf-8") as file:
        payload = json.load(file)
    known = (prepare, create, start, stop, reboot, delete, status, statuses, getconsole)
    # a custom action is a function here, too; its parameters are in payload["parameters"]
    functions = {function.__name__: function for function in known}
    try:
        if operation not in functions:
            raise NotImplementedError(f"{operation} is not supported")
        answer = functions[operation](payload)
    except Exception as error:
        print(json.dumps({"status": "error", "message": str(error)}))
        return 1
    print(json.dumps({"status": "success", **answer}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
'''
