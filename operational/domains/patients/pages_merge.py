"""Screens of merging: choosing the other record, the comparison, the separation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from operational.domains.patients import errors, merging, views
from operational.domains.patients.merging import Comparison
from operational.domains.patients.permissions import CanMerge
from operational.domains.patients.views import CardHead
from operational.kit.errors import Required
from operational.web.database import Db
from operational.web.flash import Flash
from operational.web.forms import Form
from operational.web.language import language_of
from operational.web.shell import render, rerender_on_error, see_other

router = APIRouter()


@dataclass(frozen=True, slots=True)
class MergePage:
    """The choice of the other record; with one chosen, both side by side."""

    head: CardHead
    values: Mapping[str, str]
    errors: dict[str, str]
    compared: Comparison | None
    fields: Sequence[str]
    survivor_id: int


def _page(request: Request, db: Db, patient_id: int, values: Mapping[str, str]) -> MergePage:
    head = views.card_head(db, patient_id, request, language_of(request))
    other = values.get("other", "")
    compared = None
    if other.isdecimal():
        compared = merging.compare(db, head.patient.id, int(other))
    survivor_id = _proposed(compared) if compared else head.patient.id
    return MergePage(head, values, {}, compared, merging.COMPARED, survivor_id)


def _proposed(compared: Comparison) -> int:
    """The record proposed to survive: the one with an IIN, then the older one."""
    pair = (compared.source, compared.target)
    return min(pair, key=lambda record: (record.iin is None, record.patient_no)).id


@router.get("/patients/{patient_id:int}/merge", response_class=HTMLResponse)
def choose(patient_id: int, request: Request, viewer: CanMerge, db: Db, other: str = "") -> HTMLResponse:
    """The other record is chosen by search, then both stand side by side; ``other`` is its key."""
    if other:
        rerender_on_error(request, "patients/merge.html", _page(request, db, patient_id, {}))
    return render(request, "patients/merge.html", _page(request, db, patient_id, {"other": other}))


@router.post("/patients/{patient_id:int}/merge/choose", response_class=HTMLResponse)
def chosen(patient_id: int, request: Request, viewer: CanMerge, db: Db, form: Form) -> Response:
    """From the typed choice to the comparison, whose address holds keys only."""
    rerender_on_error(request, "patients/merge.html", _page(request, db, patient_id, {}))
    other = form.get("other", "")
    if not other.isdecimal():
        raise Required("other")
    return see_other(request, f"/patients/{patient_id}/merge?other={other}")


@router.post("/patients/{patient_id:int}/merge", response_class=HTMLResponse)
def merge(patient_id: int, request: Request, viewer: CanMerge, db: Db, form: Form) -> Response:
    """Merge; ``survivor`` is the key of the record that stays."""
    page = _page(request, db, patient_id, form)
    rerender_on_error(request, "patients/merge.html", page)
    if page.compared is None:
        raise errors.PatientNotFound("other")
    if form.get("confirmed") != "1":
        raise errors.MergeUnconfirmed
    ours, theirs = page.compared.source.id, page.compared.target.id
    source, target = (theirs, ours) if form.get("survivor") == str(ours) else (ours, theirs)
    survivor = merging.merge(db, source, target, form.get("reason", ""), views.now_of(request))
    return see_other(request, f"/patients/{survivor.id}", Flash("patients.merged"))


@router.post("/patients/{patient_id:int}/separate", response_class=HTMLResponse)
def separate(patient_id: int, request: Request, viewer: CanMerge, db: Db, form: Form) -> Response:
    """Take the merge of a record back."""
    merging.separate(db, patient_id, form.get("reason", ""), views.now_of(request))
    return see_other(request, f"/patients/{patient_id}", Flash("patients.separated"))
