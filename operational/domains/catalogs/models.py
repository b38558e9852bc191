"""Directories: ICD-10, territories, medicines, services with tariffs, operations, coded values."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint, literal_column, text
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, mapped_column

from operational.kit.base import Base, Created, Fed


def words(table: str) -> Index:
    """The trigram index that search by words uses."""
    return Index(
        f"ix_{table}_search_key", "search_key", postgresql_using="gin",
        postgresql_ops={"search_key": "gin_trgm_ops"},
    )  # fmt: skip


class Directory(Fed, Base):
    """A directory: its edition, where it comes from, and whether it is official."""

    __tablename__ = "directory"
    __table_args__ = (CheckConstraint("status in ('official','draft','own')", name="status"),)
    code: Mapped[str] = mapped_column(unique=True)
    title_kk: Mapped[str]
    title_ru: Mapped[str]
    status: Mapped[str]
    version: Mapped[str]
    source: Mapped[str]
    loaded_at: Mapped[Created]
    replaced_at: Mapped[datetime | None]


class Icd10(Fed, Base):
    """A class, block or code of ICD-10."""

    __tablename__ = "icd10"
    __table_args__ = (words("icd10"),)
    code: Mapped[str] = mapped_column(unique=True)
    level: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(index=True)
    name_ru: Mapped[str]
    name_en: Mapped[str | None]
    name_kk: Mapped[str | None]
    search_key: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Kato(Fed, Base):
    """A territory of the classifier of administrative units."""

    __tablename__ = "kato"
    code: Mapped[str] = mapped_column(unique=True)
    level: Mapped[str]
    parent_code: Mapped[str | None] = mapped_column(index=True)
    name_ru: Mapped[str]
    name_kk: Mapped[str | None]
    draft: Mapped[bool] = mapped_column(server_default=text("false"))


class Medicine(Fed, Base):
    """A medicine by its international nonproprietary name."""

    __tablename__ = "medicine"
    __table_args__ = (words("medicine"),)
    atc_code: Mapped[str] = mapped_column(unique=True)
    inn_ru: Mapped[str]
    name_kk: Mapped[str | None]
    name_en: Mapped[str | None]
    search_key: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class Service(Fed, Base):
    """A medical service that is ordered, performed and paid."""

    __tablename__ = "service"
    __table_args__ = (words("service"),)
    code: Mapped[str] = mapped_column(unique=True)
    name_kk: Mapped[str | None]
    name_ru: Mapped[str]
    class_code: Mapped[str]
    unit: Mapped[str]
    search_key: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class ServiceTariff(Fed, Base):
    """The price of a service in tenge during a time."""

    __tablename__ = "service_tariff"
    __table_args__ = (
        CheckConstraint("amount_kzt >= 0", name="amount"),
        CheckConstraint("valid_to is null or valid_to > valid_from", name="validity"),
        ExcludeConstraint(
            ("service_code", "="), (literal_column("daterange(valid_from, valid_to)"), "&&"),
            name="ex_service_tariff_period", using="gist",
        ),
    )  # fmt: skip
    service_code: Mapped[str]
    amount_kzt: Mapped[Decimal]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]


class Operation(Fed, Base):
    """A surgical operation."""

    __tablename__ = "operation"
    __table_args__ = (words("operation"),)
    code: Mapped[str] = mapped_column(unique=True)
    name_kk: Mapped[str | None]
    name_ru: Mapped[str]
    class_code: Mapped[str]
    search_key: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class CodedValue(Fed, Base):
    """An entry of a small directory: specialty, visit reason, financing source and the like."""

    __tablename__ = "coded_value"
    __table_args__ = (UniqueConstraint("directory_code", "code"),)
    directory_code: Mapped[str]
    code: Mapped[str]
    name_kk: Mapped[str]
    name_ru: Mapped[str]
    sort_order: Mapped[int] = mapped_column(server_default=text("0"))
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class LabTest(Fed, Base):
    """A laboratory test: what one result is a value of."""

    __tablename__ = "lab_test"
    __table_args__ = (words("lab_test"),)
    code: Mapped[str] = mapped_column(unique=True)
    name_kk: Mapped[str | None]
    name_ru: Mapped[str]
    name_en: Mapped[str | None]
    loinc: Mapped[str | None] = mapped_column(index=True)
    specimen: Mapped[str | None]
    unit: Mapped[str | None]
    panel: Mapped[str | None]
    search_key: Mapped[str]
    active: Mapped[bool] = mapped_column(server_default=text("true"))


class LabReferenceInterval(Fed, Base):
    """The usual range of a test for a sex (U: both) and an age in days, from included, to not included."""

    __tablename__ = "lab_reference_interval"
    __table_args__ = (
        CheckConstraint("sex in ('M','F','U')", name="sex"),
        CheckConstraint("age_to_days is null or age_to_days > age_from_days", name="age"),
        CheckConstraint("low is null or high is null or high >= low", name="range"),
        UniqueConstraint(
            "test_code", "sex", "age_from_days", "note", "valid_from", name="uq_lab_reference_interval",
            postgresql_nulls_not_distinct=True,
        ),
    )  # fmt: skip
    test_code: Mapped[str] = mapped_column(ForeignKey("lab_test.code"))
    sex: Mapped[str]
    age_from_days: Mapped[int]
    age_to_days: Mapped[int | None]
    low: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    high: Mapped[Decimal | None] = mapped_column(Numeric(14, 4))
    note: Mapped[str | None]
    source: Mapped[str]
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
