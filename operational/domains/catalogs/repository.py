"""Queries on the directories. They hold no patient data, so they need no scope of organisations."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, case, false, func, literal, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import Text

from kmis.names import QueryTier
from operational.domains.catalogs.models import (
    CodedValue,
    Directory,
    Icd10,
    Kato,
    LabReferenceInterval,
    LabTest,
    Medicine,
    Operation,
    Service,
    ServiceTariff,
)
from operational.domains.catalogs.reading import Reading

CODABLE: Final = ("category", "subcategory", "ru_subdivision")
Searched = type[Icd10] | type[Service] | type[Medicine] | type[Operation] | type[LabTest]
Entry = Icd10 | Service | Medicine | Operation | LabTest
# A typing mistake is forgiven above this similarity of words (pg_trgm, 0 to 1).
FORGIVING: Final = 0.45


def code_column(model: Searched) -> InstrumentedAttribute[str]:
    """The column that holds the code."""
    return Medicine.atc_code if model is Medicine else model.code  # type: ignore[union-attr]  # Medicine is the other branch


def search_entries(
    session: Session,
    model: Searched,
    reading: Reading,
    *,
    limit: int,
    offset: int = 0,
    conditions: Sequence[ColumnElement[bool]] = (),
    frequent: Sequence[str] = (),
) -> Sequence[Entry]:
    """The entries that fit best: by code, by words as typed, in the other layout, with typing mistakes."""
    _forgive(session)
    for fits in _attempts(model, reading):
        found = session.scalars(
            _ranked(model, reading, frequent).where(model.active, fits, *conditions).limit(limit).offset(offset)
        ).all()
        if found:
            return found
    return []


def count_entries(
    session: Session, model: Searched, reading: Reading, conditions: Sequence[ColumnElement[bool]] = ()
) -> int:
    """How many entries the attempt that finds something finds."""
    _forgive(session)
    for fits in _attempts(model, reading):
        total = session.scalar(select(func.count()).select_from(model).where(model.active, fits, *conditions))
        if total:
            return int(total)
    return 0


def _attempts(model: Searched, reading: Reading) -> list[ColumnElement[bool]]:
    code = code_column(model)
    attempts: list[ColumnElement[bool]] = []
    attempts.extend(code.like(f"{start}%") for start in reading.codes)
    attempts.extend(_tier(model, tier) for tier in reading.tiers)
    if len(reading.folded) >= 4:
        attempts.append(model.search_key.op("%>")(reading.folded))
    return attempts


def _forgive(session: Session) -> None:
    # The operator %> uses the trigram index, the function word_similarity() does not; its threshold is a setting.
    session.execute(select(func.set_config("pg_trgm.word_similarity_threshold", str(FORGIVING), True)))


def _tier(model: Searched, tier: QueryTier) -> ColumnElement[bool]:
    return or_(
        false(),
        *(and_(*(model.search_key.like(p) for p in words.like_patterns())) for words in tier.readings),
    )


def _ranked(model: Searched, reading: Reading, frequent: Sequence[str]) -> Select[Any]:
    code = code_column(model)
    order: list[ColumnElement[Any]] = [case((code.in_(reading.codes), 0), else_=1)]
    if model is Icd10:
        order.append(case((Icd10.level == "category", 0), else_=1))
    if model is Service:
        order.append(case((Service.class_code == "visit", 0), else_=1))
    if frequent:
        order.append(func.array_position(literal(list(frequent), ARRAY(Text)), code).nulls_last())
    if not reading.codes and reading.folded:
        # Between equals, the text whose words are closest to what was typed.
        order.append(func.word_similarity(reading.folded, model.search_key).desc())
    return select(model).order_by(*order, code)


def icd10_conditions(levels: Sequence[str]) -> list[ColumnElement[bool]]:
    """Only these levels."""
    return [Icd10.level.in_(levels)]


def service_conditions(class_codes: Sequence[str]) -> list[ColumnElement[bool]]:
    """Only these classes; none given: all."""
    return [Service.class_code.in_(class_codes)] if class_codes else []


def icd10_by_codes(session: Session, codes: Sequence[str]) -> Sequence[Icd10]:
    return session.scalars(select(Icd10).where(Icd10.code.in_(codes))).all()


def services_by_codes(session: Session, codes: Sequence[str]) -> Sequence[Service]:
    return session.scalars(select(Service).where(Service.code.in_(codes))).all()


def tariffs_at(session: Session, codes: Sequence[str], on: date) -> dict[str, Decimal]:
    """The tariff of each service on a day; services without one are left out."""
    rows = session.execute(
        select(ServiceTariff.service_code, ServiceTariff.amount_kzt).where(
            ServiceTariff.service_code.in_(codes),
            ServiceTariff.valid_from <= on,
            or_(ServiceTariff.valid_to.is_(None), ServiceTariff.valid_to > on),
        )
    )
    return {row.service_code: row.amount_kzt for row in rows}


def coded_values(session: Session, directory_code: str, *, active_only: bool = True) -> Sequence[CodedValue]:
    query = select(CodedValue).where(CodedValue.directory_code == directory_code)
    if active_only:
        query = query.where(CodedValue.active)
    return session.scalars(query.order_by(CodedValue.sort_order, CodedValue.code)).all()


def kato_children(session: Session, parent_code: str | None) -> Sequence[Kato]:
    parent = Kato.parent_code.is_(None) if parent_code is None else Kato.parent_code == parent_code
    return session.scalars(select(Kato).where(parent).order_by(Kato.code)).all()


def kato_by_code(session: Session, code: str) -> Kato | None:
    return session.scalars(select(Kato).where(Kato.code == code)).one_or_none()


def directories(session: Session) -> Sequence[Directory]:
    return session.scalars(select(Directory).order_by(Directory.code)).all()


def directory(session: Session, code: str) -> Directory | None:
    return session.scalars(select(Directory).where(Directory.code == code)).one_or_none()


def coded_counts(session: Session) -> dict[str, int]:
    """Active entries by small directory."""
    rows = session.execute(
        select(CodedValue.directory_code, func.count().label("entries"))
        .where(CodedValue.active)
        .group_by(CodedValue.directory_code)
    )
    return {row.directory_code: row.entries for row in rows}


def table_count(session: Session, model: type[Any]) -> int:
    return int(session.scalar(select(func.count()).select_from(model)) or 0)


def list_small(
    session: Session, directory_code: str, text: str, limit: int, offset: int
) -> tuple[Sequence[CodedValue], int]:
    """A page of a small directory whose code or names contain the text, and how many there are."""
    query = select(CodedValue).where(CodedValue.directory_code == directory_code)
    if text:
        pattern = f"%{_literal(text)}%"
        query = query.where(
            or_(
                CodedValue.code.ilike(pattern, escape="\\"),
                CodedValue.name_kk.ilike(pattern, escape="\\"),
                CodedValue.name_ru.ilike(pattern, escape="\\"),
            )
        )
    total = int(session.scalar(select(func.count()).select_from(query.subquery())) or 0)
    rows = session.scalars(query.order_by(CodedValue.sort_order, CodedValue.code).limit(limit).offset(offset)).all()
    return rows, total


def list_kato(session: Session, text: str, limit: int, offset: int) -> tuple[Sequence[Kato], int]:
    """A page of territories whose code begins with the text or whose name contains it."""
    query = select(Kato)
    if text:
        pattern = f"%{_literal(text)}%"
        query = query.where(
            or_(
                Kato.code.like(f"{_literal(text)}%", escape="\\"),
                Kato.name_ru.ilike(pattern, escape="\\"),
                Kato.name_kk.ilike(pattern, escape="\\"),
            )
        )
    total = int(session.scalar(select(func.count()).select_from(query.subquery())) or 0)
    return session.scalars(query.order_by(Kato.code).limit(limit).offset(offset)).all(), total


def list_all(session: Session, model: Searched, limit: int, offset: int) -> tuple[Sequence[Entry], int]:
    """A page of a directory in the order of its codes."""
    statement: Select[Any] = select(model).order_by(code_column(model))
    return session.scalars(statement.limit(limit).offset(offset)).all(), table_count(session, model)


def list_tariffs(session: Session, text: str, limit: int, offset: int) -> tuple[Sequence[Row[Any]], int]:
    """A page of tariffs with the names of their services."""
    columns: list[Any] = [
        ServiceTariff.service_code.label("code"),
        Service.name_kk,
        Service.name_ru,
        ServiceTariff.amount_kzt,
        ServiceTariff.valid_from,
        ServiceTariff.valid_to,
    ]
    query: Select[Any] = select(*columns).join(Service, Service.code == ServiceTariff.service_code)
    if text:
        pattern = f"%{_literal(text)}%"
        query = query.where(
            or_(
                ServiceTariff.service_code.ilike(pattern, escape="\\"),
                Service.name_ru.ilike(pattern, escape="\\"),
                Service.name_kk.ilike(pattern, escape="\\"),
            )
        )
    total = int(session.scalar(select(func.count()).select_from(query.subquery())) or 0)
    ordered = query.order_by(ServiceTariff.service_code, ServiceTariff.valid_from)
    return session.execute(ordered.limit(limit).offset(offset)).all(), total


def list_intervals(session: Session, text: str, limit: int, offset: int) -> tuple[Sequence[Row[Any]], int]:
    """A page of reference intervals with the names of their tests."""
    interval = LabReferenceInterval
    columns: list[Any] = [
        interval.test_code.label("code"), LabTest.name_kk, LabTest.name_ru, LabTest.unit, interval.sex,
        interval.age_from_days, interval.age_to_days, interval.low, interval.high, interval.note,
        interval.valid_from, interval.valid_to,
    ]  # fmt: skip
    query: Select[Any] = select(*columns).join(LabTest, LabTest.code == interval.test_code)
    if text:
        pattern = f"%{_literal(text)}%"
        query = query.where(
            or_(
                interval.test_code.ilike(pattern, escape="\\"),
                LabTest.name_ru.ilike(pattern, escape="\\"),
                LabTest.name_kk.ilike(pattern, escape="\\"),
            )
        )
    total = int(session.scalar(select(func.count()).select_from(query.subquery())) or 0)
    ordered = query.order_by(interval.test_code, interval.valid_from, interval.sex, interval.age_from_days, interval.id)
    return session.execute(ordered.limit(limit).offset(offset)).all(), total


def lab_tests(session: Session) -> Sequence[LabTest]:
    """The active tests in the order of their directory."""
    return session.scalars(select(LabTest).where(LabTest.active).order_by(LabTest.id)).all()


def lab_tests_by_codes(session: Session, codes: Collection[str]) -> Sequence[LabTest]:
    """The tests of the codes, closed ones too."""
    return session.scalars(select(LabTest).where(LabTest.code.in_(codes)).order_by(LabTest.id)).all()


def lab_intervals(session: Session, codes: Collection[str], on: date) -> Sequence[LabReferenceInterval]:
    """The reference intervals of the tests that hold on a day."""
    interval = LabReferenceInterval
    query = select(interval).where(
        interval.test_code.in_(codes),
        interval.valid_from <= on,
        or_(interval.valid_to.is_(None), interval.valid_to > on),
    )
    return session.scalars(query.order_by(interval.id)).all()


def _literal(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
