"""Comments on things."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from cloudsim.model import Annotation, User
from server.api.command import ROOT, Call, Listed, command
from server.api.listing import Page, page_of
from server.api.parameters import Param
from server.api.views import Date, View, date


class AnnotationView(View):
    """A comment on something."""

    entity: ClassVar = Annotation
    key: ClassVar = "annotation"

    id: str | None = None
    entitytype: Annotated[str | None, "what it is on, such as VM or VOLUME"] = None
    entityid: str | None = None
    entityname: str | None = None
    annotation: Annotated[str | None, "its text"] = None
    userid: Annotated[str | None, "who left it"] = None
    username: str | None = None
    adminsonly: Annotated[bool | None, "whether only admins see it"] = None
    created: Date | None = None

    @classmethod
    def of(cls, row: Annotation, call: Call) -> Self:
        user = call.store.table(User).get(row.user_id)
        return cls(
            id=row.id,
            entitytype=row.entity_type,
            entityid=row.entity_id,
            entityname=call.manager.annotations.name_of(row),
            annotation=row.text,
            userid=row.user_id,
            username=user.username if user is not None else None,
            adminsonly=row.admins_only,
            created=date(row.created),
        )


OfText = Annotated[Annotation, Param("id of the comment", type="string")]


@command("addAnnotation", view=AnnotationView, group="Annotation", since="4.11", event="ANNOTATION.CREATE")
async def add_annotation(
    call: Call,
    *,
    annotation: Annotated[str | None, Param("the text")] = None,
    entitytype: Annotated[str | None, Param("what to comment on, such as VM or VOLUME")] = None,
    entityid: Annotated[str | None, Param("its id")] = None,
    adminsonly: Annotated[bool, Param("whether only admins see it")] = False,
) -> Annotation:
    """Leaves a comment on something."""
    added: Annotation = call.manager.annotations.add(call.caller, entitytype, entityid, annotation, adminsonly)
    return added


@command("listAnnotations", view=AnnotationView, group="Annotation", since="4.11")
async def list_annotations(
    call: Call,
    *,
    page: Page,
    id: Annotated[Annotation | None, Param("only that comment", type="string")] = None,
    entitytype: Annotated[str | None, Param("only on things of that kind; with entityid: on that one")] = None,
    entityid: str | None = None,
    userid: Annotated[str | None, Param("only those of that user; root admins only")] = None,
    annotationfilter: Annotated[Literal["self", "all"], Param("self: one's own, all: everybody's")] = "all",
) -> Listed:
    """Lists comments, the newest first."""
    annotations, table = call.manager.annotations, call.store.table(Annotation)
    if id is not None:
        rows = [id]
    elif entityid:
        _, on = annotations.entity(call.caller, entitytype, entityid)
        rows = table.where("entity_id", on)
    else:
        rows = [row for row in table if not entitytype or row.entity_type == entitytype.upper()]
    wanted = call.caller.user_id if annotationfilter == "self" else userid if call.caller.is_root_admin else None
    readable = [row for row in annotations.readable(call.caller, rows) if not wanted or row.user_id == wanted]
    return page_of(readable[::-1], page, search=("text",))


@command("removeAnnotation", view=AnnotationView, group="Annotation", since="4.11", event="ANNOTATION.REMOVE")
async def remove_annotation(call: Call, *, id: OfText) -> Annotation:
    """Removes a comment."""
    annotations = call.manager.annotations
    annotations.check_change(call.caller, id)
    annotations.remove(id)
    return id


@command("updateAnnotationVisibility", view=AnnotationView, roles=ROOT, group="Annotation", since="4.16")
async def update_annotation_visibility(
    call: Call, *, id: OfText, adminsonly: Annotated[bool, Param("whether only admins see it")]
) -> Annotation:
    """Changes who sees a comment."""
    changed: Annotation = call.manager.annotations.show(call.caller, id, adminsonly)
    return changed
