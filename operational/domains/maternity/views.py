"""A pregnancy as its screens show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fastapi import Request
from sqlalchemy.orm import Session

from operational.domains.catalogs.models import CodedValue
from operational.domains.maternity import charts, repository, ruleset, visiting
from operational.domains.maternity.charts import Chart
from operational.domains.maternity.models import (
    Birth,
    PlannedPregnancyVisit,
    Pregnancy,
    PregnancyCare,
    PregnancyRiskFactor,
    PregnancyVisit,
)
from operational.domains.maternity.ruleset import Gestation
from operational.domains.maternity.service import Pregnancies
from operational.domains.organisation.models import OrganisationVersion, Practitioner
from operational.domains.patients import views as people
from operational.domains.patients.views import CardHead
from operational.kit.errors import NotFound
from operational.web.formats import format_date, format_moment
from operational.web.language import language_of
from operational.web.viewer import Viewer

Choices = list[tuple[str, str]]
DIRECTORY = "antenatal_risk_factor"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A planned visit with its state: held, overdue, due, future, dropped."""

    planned: PlannedPregnancyVisit
    state: str
    visit: PregnancyVisit | None


@dataclass(frozen=True, slots=True)
class VisitRow:
    """A held visit with who held it, the term and the warnings of its figures."""

    visit: PregnancyVisit
    practitioner: Practitioner
    term: Gestation
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class FactorRow:
    """A risk factor with its name and level; ``chosen_flag`` tells those that can be taken away."""

    factor: PregnancyRiskFactor
    name: CodedValue | None
    level: str
    chosen_flag: bool


@dataclass(frozen=True, slots=True)
class CareRow:
    """A stretch of time in which an organisation led the pregnancy."""

    care: PregnancyCare
    practitioner: Practitioner | None
    organisation: OrganisationVersion | None


@dataclass(frozen=True, slots=True)
class PregnancyPage:
    """Everything that the screen and the paper of one pregnancy show."""

    head: CardHead
    pregnancy: Pregnancy
    today: date
    term: Gestation
    trimester: int
    bmi: Decimal | None
    leader: CareRow | None
    cares: list[CareRow]
    factors: list[FactorRow]
    plan: list[PlannedRow]
    visits: list[VisitRow]
    voided: list[VisitRow]
    births: Sequence[Birth]
    charts: list[Chart]
    leading_flag: bool
    other_id: int | None
    factor_choices: Choices
    visit_choices: Choices
    obstetricians: Choices
    values: Mapping[str, str]
    errors: dict[str, str]
    now_text: str


def person(row: Practitioner) -> str:
    """Surname, given name and patronymic."""
    return " ".join(part for part in (row.surname, row.given_name, row.patronymic) if part)


def obstetricians(db: Session, viewer: Viewer, day: date) -> Choices:
    """Who can lead a pregnancy in the viewer's organisations."""
    return [(str(row.id), person(row)) for row in repository.obstetricians(db, viewer.organisation_ids, day)]


def factor_choices(db: Session, language: str, day: date, *, without: Sequence[str] = ()) -> Choices:
    """The risk factors that an obstetrician chooses."""
    derived = ruleset.follows_from_figures(day)
    return [
        (row.code, row.name_kk if language == "kk" else row.name_ru)
        for row in repository.coded_values(db, DIRECTORY)
        if row.code not in derived and row.code not in without
    ]


def plan_rows(
    plan: Sequence[PlannedPregnancyVisit], visits: Sequence[PregnancyVisit], ended_on: date | None, today: date
) -> list[PlannedRow]:
    """The plan with the state of each visit on the day."""
    held = {visit.visit_no: visit for visit in visits if visit.visit_no is not None}

    def state(row: PlannedPregnancyVisit) -> str:
        if row.visit_no in held:
            return "held"
        if ended_on is not None:
            return "dropped" if row.due_to >= ended_on else "overdue"
        if row.due_to < today:
            return "overdue"
        return "due" if row.due_from <= today else "future"

    return [PlannedRow(row, state(row), held.get(row.visit_no)) for row in plan if row.voided_at is None]


def proposed_visit(rows: Sequence[PlannedRow]) -> str:
    """The number of the planned visit that one of today fulfils: the due one, else the newest one that was missed
    after the last that was held."""
    last = max((row.planned.visit_no for row in rows if row.state == "held"), default=0)
    due = [row.planned.visit_no for row in rows if row.state == "due"]
    missed = [row.planned.visit_no for row in rows if row.state == "overdue" and row.planned.visit_no > last]
    return str(due[0] if due else missed[-1] if missed else "")


def _visit_rows(found: Sequence[tuple[PregnancyVisit, Practitioner]]) -> list[VisitRow]:
    rows = []
    for number, (visit, practitioner) in enumerate(found):
        before = found[number + 1][0] if number + 1 < len(found) else None
        weeks, days = divmod(visit.gestation_days, 7)
        rows.append(VisitRow(visit, practitioner, Gestation(weeks, days), visiting.warnings_of(visit, before)))
    return rows


def _charts(rows: Sequence[VisitRow], day: date) -> list[Chart]:
    visits = [row.visit for row in reversed(rows)]

    def series(name: str) -> list[tuple[int, float]]:
        return [(v.gestation_days, float(getattr(v, name))) for v in visits if getattr(v, name) is not None]

    found = (
        charts.chart("maternity.chart.weight", [series("weight_kg")]),
        charts.chart(
            "maternity.chart.pressure", [series("systolic"), series("diastolic")], ruleset.edges("pressure_high", day)
        ),
        charts.chart("maternity.chart.fundal_height", [series("fundal_height_cm")]),
    )
    return [chart for chart in found if chart is not None]


def pregnancy_page(
    request: Request, db: Session, viewer: Viewer, key: int, values: Mapping[str, str] | None = None
) -> PregnancyPage:
    """The page of a pregnancy. Raises NotFound outside the scope."""
    service = Pregnancies(db, request.app.state.clock, request.app.state.settings.zone)
    pregnancy, today, language = service.get(key), service.today(), language_of(request)
    until = min(pregnancy.ended_on or today, today)
    all_visits = repository.visits(db, key, voided=True)
    standing = [(visit, who) for visit, who in all_visits if visit.voided_at is None]
    plan = plan_rows(repository.planned(db, key), [visit for visit, _ in standing], pregnancy.ended_on, today)
    history = repository.care_history(db, key)
    names = repository.organisation_names(db, [care.owner_organisation_id for care, _ in history], today)
    cares = [CareRow(care, who, names.get(care.owner_organisation_id)) for care, who in history]
    leader = next((row for row in cares if row.care.valid_to is None), None)
    coded = {row.code: row for row in repository.coded_values(db, DIRECTORY)}
    levels = ruleset.factor_levels(pregnancy.registered_on)
    derived = ruleset.follows_from_figures(pregnancy.registered_on)
    factors = [
        FactorRow(row, coded.get(row.factor_code), levels.get(row.factor_code, "low"), row.factor_code not in derived)
        for row in repository.factors(db, key)
    ]
    rows = _visit_rows(standing)
    zone = request.app.state.settings.timezone
    now_text = format_moment(request.app.state.clock.now(), zone)
    return PregnancyPage(
        head=people.card_head(db, pregnancy.patient_id, request, language),
        pregnancy=pregnancy,
        today=today,
        term=ruleset.gestation(pregnancy.last_menstrual_date, until),
        trimester=ruleset.trimester(pregnancy.last_menstrual_date, until),
        bmi=ruleset.body_mass_index(pregnancy.height_cm, pregnancy.weight_before_kg),
        leader=leader,
        cares=cares,
        factors=factors,
        plan=plan,
        visits=rows,
        voided=_visit_rows([(visit, who) for visit, who in all_visits if visit.voided_at is not None]),
        births=repository.births(db, key),
        charts=_charts(rows, today),
        leading_flag=leader is not None and leader.care.owner_organisation_id in viewer.organisation_ids,
        other_id=None if pregnancy.ended_on or pregnancy.voided_at else repository.other_open(db, pregnancy),
        factor_choices=factor_choices(
            db, language, pregnancy.registered_on, without=[row.factor.factor_code for row in factors]
        ),
        visit_choices=[
            (str(row.planned.visit_no), f"№ {row.planned.visit_no} · {format_date(row.planned.due_from, zone)} – "
             f"{format_date(row.planned.due_to, zone)}") for row in plan if row.state != "held"
        ],
        obstetricians=obstetricians(db, viewer, today),
        values={"visited_at": now_text, "visit_no": proposed_visit(plan)} if values is None else values,
        errors={},
        now_text=now_text,
    )  # fmt: skip


def visit_values(visit: PregnancyVisit, zone: str) -> dict[str, str]:
    """A held visit as its form shows it."""
    names = ("visit_no", "place", "systolic", "diastolic", "fundal_height_cm", "fetal_heart_rate", "oedema",
             "proteinuria", "complaint", "conclusion")  # fmt: skip
    values = {name: str(value) if (value := getattr(visit, name)) is not None else "" for name in names}
    values["weight_kg"] = str(visit.weight_kg).replace(".", ",") if visit.weight_kg is not None else ""
    values["visited_at"] = format_moment(visit.visited_at, zone)
    values["next_visit_on"] = format_date(visit.next_visit_on, zone)
    return values


def pregnancy_values(pregnancy: Pregnancy, zone: str) -> dict[str, str]:
    """The figures of a registration as their form shows them."""
    weight = pregnancy.weight_before_kg
    return {
        "last_menstrual_date": format_date(pregnancy.last_menstrual_date, zone),
        "gravida": str(pregnancy.gravida),
        "para": str(pregnancy.para),
        "height_cm": str(pregnancy.height_cm or ""),
        "weight_before_kg": str(weight).replace(".", ",") if weight is not None else "",
        "note": pregnancy.note or "",
    }


def head_of(request: Request, db: Session, patient_id: int) -> CardHead:
    """The head of a person's card. Raises NotFound."""
    if repository.patient(db, patient_id) is None:
        raise NotFound()
    return people.card_head(db, patient_id, request, language_of(request))
