"""What the management server is called: there is one of a cloud, whichever process it is."""

from __future__ import annotations

from uuid import NAMESPACE_OID, uuid5

SERVER_ID = str(uuid5(NAMESPACE_OID, "cloudsim management server"))
SERVER_NAME = "cloudsim"
