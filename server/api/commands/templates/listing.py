"""What listTemplates and listIsos share: the filter, and one row for each zone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from cloudsim.management.storage.template_visibility import ONLY_READY, filter_named, shown_by
from cloudsim.model import GuestOs, GuestOsCategory, ImageStore, StoragePool, Template, TemplateOnPool, Zone
from server.api.command import Call, Listed
from server.api.commands.templates.views import InZone, in_zones
from server.api.listing import Paging, by_sort_key, page_of, tagged_with
from server.api.scope import Ownership


def shown(
    call: Call,
    *,
    page: Paging,
    scope: Ownership,
    filter: str,
    iso: bool,
    templates: Sequence[Template] | None = None,
    keep: Callable[[Template], bool] = lambda template: True,
    zone: Zone | None = None,
    store: ImageStore | None = None,
    pool: StoragePool | None = None,
    category: GuestOsCategory | None = None,
    ready: bool | None = None,
    unique: bool = False,
    removed: bool = False,
    tags: Mapping[str, str] | None = None,
) -> Listed:
    """The page of templates, or ISOs, that the caller asks for and may see."""
    chosen = filter_named(filter)
    shows = shown_by(call.store, call.caller, chosen, scope.owns, named=templates is not None, removed=removed)
    tagged = tagged_with(call.store, tags) if tags else None
    guest_oses = call.store.table(GuestOs)
    on_pool = call.store.table(TemplateOnPool)
    # isready=false leaves nothing out: CloudStack's clients say so by default, and mean what is ready too
    only_ready = ready is True or (templates is None and chosen in ONLY_READY)

    def right(row: InZone) -> bool:
        if only_ready and not row.is_ready:
            return False
        if zone is not None and (row.zone is None or row.zone.id != zone.id):
            return False
        return store is None or (row.copy is not None and row.copy.store_id == store.id)

    rows: list[InZone] = []
    for template in by_sort_key(call, templates if templates is not None else call.store.table(Template)):
        if (template.format == "ISO") != iso or not shows(template) or not keep(template):
            continue
        if tagged is not None and template.id not in tagged:
            continue
        if category is not None:
            guest_os = guest_oses.get(template.guest_os_id)
            if guest_os is None or guest_os.category_id != category.id:
                continue
        if pool is not None and on_pool.find(("template_id", "pool_id"), (template.id, pool.id)) is None:
            continue
        found = [row for row in in_zones(template, call) if right(row)]
        rows.extend(found[:1] if unique else found)
    return page_of(rows, page, search=("name", "display_text"))
