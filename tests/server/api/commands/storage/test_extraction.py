"""Files given out and taken in by way of secondary storage VMs, through the API."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from backends.simulated.systemvms.secstorage import DoorClosed
from cloudsim.model import Template, Transfer, VolumeOnStore
from server.api.dispatch import Dispatcher
from tests.cloudsim.management.systemvm.storage_vm_cloud import GIB, StorageVmCloud
from tests.server.api.api_harness import Client, refused
from tests.server.api.commands.cloud_api import CloudApi


class StorageApi(CloudApi):
    """`CloudApi` on a cloud whose zone has a secondary storage VM."""

    def __init__(self) -> None:
        self.cloud: StorageVmCloud = StorageVmCloud()
        self.cloud.found()
        self.manager = self.cloud.manager
        self.store = self.cloud.store
        self.dispatcher = Dispatcher(self.manager)
        self.admin = self.client("admin")

    def door(self) -> Any:
        """The software of the storage VM, whose `open` and `receive` are what clients come to."""
        return self.cloud.appliance(self.cloud.up()[0])

    def fetched(self, url: str) -> tuple[str, int]:
        """Path and size of the file at a URL that was made for it. Raises DoorClosed."""
        parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
        assert parts.hostname == self.cloud.up()[0].public_ip and parts.path.startswith("/userdata/")
        name = parts.path.rpartition("/")[2].partition(".")[0]
        request, size = self.door().open(name, query["signature"][0], self.cloud.world.now())
        assert query["expires"] == [str(int(request.expires))]
        return request.path, size

    def send(self, asked: dict[str, Any], content: bytes, signature: str | None = None) -> None:
        name = urlsplit(asked["postURL"]).path.removeprefix("/upload/")
        whole = self.door().receive(name, signature or asked["signature"], self.cloud.world.now())
        whole(len(content), {"sha256": hashlib.sha256(content).hexdigest()})

    def row(self, command: str, key: str, **asked: Any) -> dict[str, Any]:
        (found,) = self.listed(command, key, **asked)
        return found


@pytest.fixture
def api() -> Iterator[StorageApi]:
    made = StorageApi()
    yield made
    made.cloud.close()


def registered(api: StorageApi, call: Client | None = None, **more: Any) -> dict[str, Any]:
    asked = {"name": "debian", "displaytext": "debian", "hypervisor": "Simulator", "format": "QCOW2", **more}
    asked.setdefault("url", "http://images.example/debian.qcow2?size=20g")
    made: dict[str, Any] = (call or api.admin)("registerTemplate", zoneid=api.zone, **asked)["template"][0]
    return made


# templates


def test_listtemplates_tells_how_far_a_download_is(api: StorageApi) -> None:
    made = registered(api)
    assert made["isready"] is False
    api.cloud.wait(10)
    row = api.row("listTemplates", "template", templatefilter="self", id=made["id"])
    assert row["isready"] is False and 10 < int(row["status"].removesuffix("% Downloaded")) < 100
    api.cloud.wait(30)
    row = api.row("listTemplates", "template", templatefilter="self", id=made["id"])
    assert (row["isready"], row["status"], row["size"]) == (True, "Download Complete", 20 * GIB)
    assert row["physicalsize"] == 20 * GIB


def test_a_template_is_extracted_to_a_url_of_its_own(api: StorageApi) -> None:
    made = registered(api, isextractable=True)
    refused(431, api.admin, "extractTemplate", id=made["id"], zoneid=api.zone, mode="HTTP_DOWNLOAD")
    api.cloud.wait(60)
    out = api.admin("extractTemplate", id=made["id"], zoneid=api.zone, mode="HTTP_DOWNLOAD")["template"]
    assert (out["id"], out["name"], out["state"]) == (made["id"], "debian", "DOWNLOAD_URL_CREATED")
    assert (out["extractMode"], out["zoneid"], out["accountid"]) == ("HTTP_DOWNLOAD", api.zone, made["accountid"])
    assert api.fetched(out["url"]) == (f"templates/{made['id']}.qcow2", 20 * GIB)
    again = api.admin("extractTemplate", id=made["id"], zoneid=api.zone, mode="http_download")["template"]
    assert (again["url"], again["extractId"]) == (out["url"], out["extractId"])


def test_what_stands_against_extracting_a_template(api: StorageApi) -> None:
    ann = api.account("ann")
    mine, asked = registered(api, ann), {"zoneid": api.zone, "mode": "HTTP_DOWNLOAD"}
    api.cloud.wait(60)
    assert "not extractable" in refused(531, ann, "extractTemplate", id=mine["id"], **asked).text
    ann("updateTemplatePermissions", id=mine["id"], isextractable=True)
    assert ann("extractTemplate", id=mine["id"], **asked)["template"]["url"]
    ftp = refused(431, ann, "extractTemplate", id=mine["id"], zoneid=api.zone, mode="FTP_UPLOAD")
    assert "FTP_UPLOAD is not supported" in ftp.text
    sent = refused(431, ann, "extractTemplate", id=mine["id"], **asked, url="ftp://example.org/here")
    assert "url is not supported" in sent.text
    wrong = refused(431, ann, "extractTemplate", id=mine["id"], zoneid=api.zone, mode="CARRIER_PIGEON")
    assert "Supported modes" in wrong.text
    system = next(t for t in api.store.table(Template) if t.type == "SYSTEM")
    assert "System Template" in refused(431, api.admin, "extractTemplate", id=system.id, **asked).text
    refused(431, api.admin, "extractIso", id=mine["id"], **asked)
    bob = api.account("bob")
    refused(531, bob, "extractTemplate", id=mine["id"], **asked)


def test_without_a_storage_vm_nothing_is_given_out_or_taken_in(cloud_api: CloudApi) -> None:
    template = cloud_api.cloud.template
    asked = {"id": template.id, "zoneid": cloud_api.zone, "mode": "HTTP_DOWNLOAD"}
    assert "no secondary storage VM" in refused(534, cloud_api.admin, "extractTemplate", **asked).text
    before = len(cloud_api.store.table(Template))
    params = {"name": "a", "zoneid": cloud_api.zone, "format": "QCOW2"}
    refused(534, cloud_api.admin, "getUploadParamsForVolume", **params)
    refused(534, cloud_api.admin, "getUploadParamsForTemplate", hypervisor="Simulator", **params)
    assert len(cloud_api.store.table(Template)) == before and len(cloud_api.store.table(Transfer)) == 0


def test_a_url_is_good_until_it_expires_and_what_it_was_of_is_cleaned_up(api: StorageApi) -> None:
    settings = api.manager.settings
    settings.set("extract.url.expiration.interval", "600")
    settings.set("extract.url.cleanup.interval", "900")
    volume = attached_and_stopped(api)
    out = api.admin("extractVolume", id=volume["id"], zoneid=api.zone, mode="HTTP_DOWNLOAD")["volume"]
    path, _ = api.fetched(out["url"])
    assert path in api.cloud.image_store.files
    api.cloud.wait(601)
    with pytest.raises(DoorClosed) as closed:
        api.fetched(out["url"])
    assert closed.value.status == 410
    api.cloud.wait(8000)
    assert path not in api.cloud.image_store.files and len(api.store.table(Transfer)) == 0


def test_a_url_works_again_after_its_storage_vm_was_restarted(api: StorageApi) -> None:
    made = registered(api)
    api.cloud.wait(60)
    out = api.admin("extractTemplate", id=made["id"], zoneid=api.zone, mode="HTTP_DOWNLOAD")["template"]
    api.admin("rebootSystemVm", id=api.cloud.up()[0].id)
    api.cloud.wait(10)
    assert api.fetched(out["url"])[1] == 20 * GIB


def test_a_deleted_template_is_not_served_any_more(api: StorageApi) -> None:
    made = registered(api)
    api.cloud.wait(60)
    out = api.admin("extractTemplate", id=made["id"], zoneid=api.zone, mode="HTTP_DOWNLOAD")["template"]
    api.admin("deleteTemplate", id=made["id"])
    api.cloud.wait(10)
    with pytest.raises(DoorClosed):
        api.fetched(out["url"])


# volumes and snapshots


def attached_and_stopped(api: StorageApi) -> dict[str, Any]:
    vm = api.cloud.deploy()
    refused(431, api.admin, "extractVolume", id=api.cloud.root(vm).id, zoneid=api.zone, mode="HTTP_DOWNLOAD")
    api.cloud.stop(vm)
    return api.row("listVolumes", "volume", virtualmachineid=vm.id)


def test_a_volume_is_copied_and_the_copy_served(api: StorageApi) -> None:
    volume = attached_and_stopped(api)
    out = api.admin("extractVolume", id=volume["id"], zoneid=api.zone, mode="HTTP_DOWNLOAD")["volume"]
    assert (out["id"], out["name"], out["state"]) == (volume["id"], volume["name"], "DOWNLOAD_URL_CREATED")
    path, size = api.fetched(out["url"])
    assert path.startswith("snapshots/") and size > 0
    again = api.admin("extractVolume", id=volume["id"], zoneid=api.zone, mode="HTTP_DOWNLOAD")["volume"]
    assert again["url"] == out["url"]


def test_a_snapshot_is_served(api: StorageApi) -> None:
    root = api.cloud.root(api.cloud.deploy())
    snapshot = api.admin("createSnapshot", volumeid=root.id)["snapshot"]
    out = api.admin("extractSnapshot", id=snapshot["id"], zoneid=api.zone)["snapshot"]
    assert (out["id"], out["state"]) == (snapshot["id"], "DOWNLOAD_URL_CREATED")
    assert api.fetched(out["url"])[1] == snapshot["physicalsize"]


# uploads


def uploaded(api: StorageApi, url: str = "http://images.example/d.qcow2?size=3g", **more: Any) -> dict[str, Any]:
    asked = {"name": "data", "zoneid": api.zone, "format": "QCOW2", "url": url, **more}
    made: dict[str, Any] = api.admin("uploadVolume", **asked)["volume"]
    return made


@pytest.mark.parametrize("running", [True, False])
def test_a_volume_from_a_url_is_attached_and_leaves_secondary_storage(api: StorageApi, running: bool) -> None:
    volume = uploaded(api)
    assert (volume["state"], volume["size"], volume["type"]) == ("Uploaded", 3 * GIB, "DATADISK")
    assert volume["status"] == "Upload Complete"
    (on_store,) = api.store.table(VolumeOnStore)
    assert api.cloud.image_store.files[on_store.path] == 3 * GIB
    vm = api.cloud.deploy()
    if not running:
        api.cloud.stop(vm)
    done = api.admin("attachVolume", id=volume["id"], virtualmachineid=vm.id)["volume"]
    assert (done["state"], done["virtualmachineid"], done["size"]) == ("Ready", vm.id, 3 * GIB)
    assert on_store.path not in api.cloud.image_store.files and len(api.store.table(VolumeOnStore)) == 0


def test_without_a_storage_vm_a_host_fetches_volumes(cloud_api: CloudApi) -> None:
    asked = {"name": "data", "zoneid": cloud_api.zone, "format": "QCOW2"}
    url = "http://images.example/d.qcow2?size=2g"
    volume = cloud_api.admin("uploadVolume", url=url, **asked)["volume"]
    assert (volume["state"], volume["size"]) == ("Uploaded", 2 * GIB)
    vm = cloud_api.cloud.deploy()
    done = cloud_api.admin("attachVolume", id=volume["id"], virtualmachineid=vm.id)["volume"]
    assert done["state"] == "Ready"


def test_a_volume_that_cannot_be_fetched_says_why_and_can_be_deleted(api: StorageApi) -> None:
    failed = refused(530, api.admin, "uploadVolume", name="d", zoneid=api.zone, format="QCOW2", url="http://fail.example/d")
    assert "does not serve it" in failed.text
    (row,) = api.listed("listVolumes", "volume", name="d")
    assert row["state"] == "UploadError" and "does not serve it" in row["status"]
    refused(431, api.admin, "attachVolume", id=row["id"], virtualmachineid=api.cloud.deploy().id)
    api.admin("deleteVolume", id=row["id"])
    assert len(api.store.table(VolumeOnStore)) == 0 and api.listed("listVolumes", "volume", name="d") == []


def test_a_deleted_upload_takes_its_file_with_it(api: StorageApi) -> None:
    used = api.cloud.image_store.used
    volume = uploaded(api)
    assert api.cloud.image_store.used == used + 3 * GIB
    api.admin("deleteVolume", id=volume["id"])
    assert api.cloud.image_store.used == used and len(api.store.table(VolumeOnStore)) == 0


def test_what_stands_against_an_upload(api: StorageApi) -> None:
    fixed = next(each for each in api.listed("listDiskOfferings", "diskoffering") if each["name"] == "Small")
    ann, good = api.account("ann"), {"name": "d", "zoneid": api.zone, "format": "QCOW2", "url": "http://a.example/d"}
    for wrong in ({"format": "FLOPPY"}, {"format": "ISO"}, {"url": "gopher://a"}, {"diskofferingid": fixed["id"]}):
        refused(431, ann, "uploadVolume", **{**good, **wrong})
    refused(531, ann, "uploadVolume", **{**good, "url": "nfs://host/templates/a.qcow2"})
    assert ann("listVolumes") == {} and len(api.store.table(VolumeOnStore)) == 0


def test_a_template_that_a_client_sends(api: StorageApi) -> None:
    asked = api.admin(
        "getUploadParamsForTemplate", name="mine", displaytext="mine", zoneid=api.zone, format="QCOW2", hypervisor="Simulator"
    )["getuploadparams"]
    assert set(asked) == {"id", "postURL", "signature", "metadata", "expires"}
    row = api.row("listTemplates", "template", templatefilter="self", id=asked["id"])
    assert (row["isready"], row["status"]) == (False, "Not uploaded yet")
    with pytest.raises(DoorClosed):
        api.send(asked, b"content", "a wrong signature")
    api.send(asked, b"content" * 1000)
    api.cloud.wait(10)
    row = api.row("listTemplates", "template", templatefilter="self", id=asked["id"])
    assert (row["isready"], row["status"], row["size"]) == (True, "Download Complete", 7000)
    with pytest.raises(DoorClosed):
        api.send(asked, b"other content")


def test_an_upload_that_does_not_come_in_time_is_given_up(api: StorageApi) -> None:
    api.manager.settings.set("upload.operation.timeout", "5")
    asked = {"name": "late", "zoneid": api.zone, "format": "QCOW2"}
    volume = api.admin("getUploadParamsForVolume", **asked)["getuploadparams"]
    iso = api.admin("getUploadParamsForIso", **{**asked, "format": "ISO"}, displaytext="late")["getuploadparams"]
    assert api.row("listVolumes", "volume", id=volume["id"])["state"] == "NotUploaded"
    api.cloud.wait(310)
    assert api.row("listVolumes", "volume", id=volume["id"])["state"] == "UploadAbandoned"
    row = api.row("listIsos", "iso", isofilter="self", id=iso["id"])
    assert (row["isready"], row["status"]) == (False, "It was not uploaded in time")
    for late in (volume, iso):
        with pytest.raises(DoorClosed) as closed:
            api.send(late, b"content")
        assert closed.value.status == 410
    api.admin("deleteVolume", id=volume["id"])
    api.admin("deleteIso", id=iso["id"])
    assert len(api.store.table(VolumeOnStore)) == 0


def test_an_upload_whose_checksum_is_wrong_is_refused(api: StorageApi) -> None:
    asked = {"name": "d", "zoneid": api.zone, "format": "QCOW2", "checksum": "{SHA-256}" + "0" * 64}
    params = api.admin("getUploadParamsForVolume", **asked)["getuploadparams"]
    with pytest.raises(DoorClosed) as closed:
        api.send(params, b"content")
    assert closed.value.status == 400
    api.cloud.wait(10)
    assert api.row("listVolumes", "volume", id=params["id"])["state"] == "UploadError"


def test_an_expected_upload_outlives_the_manager(api: StorageApi) -> None:
    asked = {"name": "d", "zoneid": api.zone, "format": "QCOW2"}
    params = api.admin("getUploadParamsForVolume", **asked)["getuploadparams"]
    api.cloud.restart()
    api.send(params, b"content" * 100)
    api.cloud.wait(30)
    table = api.store.tables["Volume"]
    assert (table[params["id"]].state, table[params["id"]].size) == ("Uploaded", 700)


def test_a_file_of_an_image_store_is_fetched_by_its_path(api: StorageApi) -> None:
    made = registered(api)
    api.cloud.wait(60)
    (store,) = api.listed("listImageStores", "imagestore")
    path = f"templates/{made['id']}.qcow2"
    out = api.admin("downloadImageStoreObject", id=store["id"], path=path)["imagestore"]
    assert (out["id"], api.fetched(out["url"])) == (made["id"], (path, 20 * GIB))
    unknown = refused(431, api.admin, "downloadImageStoreObject", id=store["id"], path="templates/none")
    assert "names no template" in unknown.text
