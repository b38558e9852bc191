"""Search and look-up in the directories, for pickers, forms and other domains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sqlalchemy.orm import Session

from operational.domains.catalogs import files, repository
from operational.domains.catalogs.models import (
    CodedValue,
    Icd10,
    Kato,
    LabReferenceInterval,
    LabTest,
    Medicine,
    Operation,
    Service,
    ServiceTariff,
)
from operational.domains.catalogs.reading import read_code, read_icd10
from operational.kit.errors import BusinessError, NotFound

LIMIT: Final = 20
MODELS: Final[dict[str, repository.Searched]] = {
    "icd10": Icd10, "service": Service, "medicine": Medicine, "operation": Operation,
    "lab_test": LabTest,
}  # fmt: skip


class UnknownCode(BusinessError):
    """A code that its directory does not have, or no longer has."""

    message_key = "catalogs.error.unknown_code"


@dataclass(frozen=True, slots=True)
class Found:
    """An entry found. ``name_kk`` is None where there is no Kazakh edition: show the Russian name, marked."""

    code: str
    name_ru: str
    name_kk: str | None
    name_en: str | None = None
    level: str | None = None
    class_code: str | None = None
    unit: str | None = None
    tariff_kzt: Decimal | None = None
    active: bool = True

    def name(self, language: str) -> str:
        """The name in the language; Russian where there is no Kazakh one."""
        return (self.name_kk if language == "kk" else None) or self.name_ru

    @property
    def untranslated_flag(self) -> bool:
        """Whether the directory has no Kazakh name for it."""
        return not self.name_kk


@dataclass(frozen=True, slots=True)
class DirectoryInfo:
    """A directory with its edition and number of entries."""

    code: str
    title_kk: str
    title_ru: str
    status: str
    version: str
    source: str
    loaded_at: Any
    entries: int

    @property
    def source_kk(self) -> str:
        """The source in Kazakh: a source that is written in both languages has a bar between them."""
        return self.source.split(" | ")[0]

    @property
    def source_ru(self) -> str:
        """The source in Russian."""
        return self.source.split(" | ")[-1]


def search_icd10(
    session: Session, text: str, *, limit: int = LIMIT, levels: Sequence[str] = repository.CODABLE
) -> list[Found]:
    """ICD-10 codes by the beginning of a code or words in Russian, English or Kazakh."""
    return _search(session, "icd10", text, limit, repository.icd10_conditions(levels))


def search_services(
    session: Session, text: str, on: date, *, class_codes: Sequence[str] = (), limit: int = LIMIT
) -> list[Found]:
    """Services with the tariff of the day ``on``."""
    found = _search(session, "service", text, limit, repository.service_conditions(class_codes))
    tariffs = repository.tariffs_at(session, [entry.code for entry in found], on)
    return [_with_tariff(entry, tariffs.get(entry.code)) for entry in found]


def search_medicines(session: Session, text: str, *, limit: int = LIMIT) -> list[Found]:
    """Medicines by ATC code or international name."""
    return _search(session, "medicine", text, limit, [])


def search_operations(session: Session, text: str, *, limit: int = LIMIT) -> list[Found]:
    """Surgical operations by code or name."""
    return _search(session, "operation", text, limit, [])


def search_lab_tests(session: Session, text: str, *, limit: int = LIMIT) -> list[Found]:
    """Laboratory tests by code or name in Kazakh, Russian or English."""
    return _search(session, "lab_test", text, limit, [])


def _search(session: Session, directory: str, text: str, limit: int, conditions: Sequence[Any]) -> list[Found]:
    if not text.strip():
        return []
    reading = read_icd10(text) if directory == "icd10" else read_code(text)
    frequent = list(files.icd10_words()) if directory == "icd10" else []
    entries = repository.search_entries(
        session, MODELS[directory], reading, limit=limit, conditions=conditions, frequent=frequent
    )
    return [as_found(entry) for entry in entries]


def as_found(entry: repository.Entry) -> Found:
    """An entry of any of the large directories in one shape."""
    if isinstance(entry, Icd10):
        return Found(entry.code, entry.name_ru, entry.name_kk, entry.name_en, level=entry.level, active=entry.active)
    if isinstance(entry, Medicine):
        return Found(entry.atc_code, entry.inn_ru, entry.name_kk, entry.name_en, active=entry.active)
    if isinstance(entry, LabTest):
        return Found(entry.code, entry.name_ru, entry.name_kk, entry.name_en, unit=entry.unit, active=entry.active)
    unit = entry.unit if isinstance(entry, Service) else None
    return Found(entry.code, entry.name_ru, entry.name_kk, class_code=entry.class_code, unit=unit, active=entry.active)


def _with_tariff(entry: Found, amount: Decimal | None) -> Found:
    return Found(
        entry.code, entry.name_ru, entry.name_kk, class_code=entry.class_code, unit=entry.unit,
        tariff_kzt=amount, active=entry.active,
    )  # fmt: skip


def icd10(session: Session, code: str) -> Found:
    """One code that a diagnosis may have. Raises UnknownCode for an unknown, closed or uncodable one."""
    entries = repository.icd10_by_codes(session, [code])
    if not entries or not entries[0].active or entries[0].level not in repository.CODABLE:
        raise UnknownCode("icd10_code")
    return as_found(entries[0])


def icd10_names(session: Session, codes: Sequence[str]) -> dict[str, Found]:
    """The entries of the given codes, closed ones too: what was recorded stays readable."""
    return {entry.code: as_found(entry) for entry in repository.icd10_by_codes(session, codes)}


def service(session: Session, code: str, on: date) -> Found:
    """One service with its tariff on a day. Raises UnknownCode for an unknown or closed one."""
    entries = repository.services_by_codes(session, [code])
    if not entries or not entries[0].active:
        raise UnknownCode("service_code")
    return _with_tariff(as_found(entries[0]), repository.tariffs_at(session, [code], on).get(code))


def service_names(session: Session, codes: Sequence[str]) -> dict[str, Found]:
    """The services of the given codes, closed ones too."""
    return {entry.code: as_found(entry) for entry in repository.services_by_codes(session, codes)}


def tariffs_at(session: Session, codes: Sequence[str], on: date) -> dict[str, Decimal]:
    """Tariffs in tenge on a day; a service without one is left out."""
    return repository.tariffs_at(session, codes, on)


def values(session: Session, directory_code: str) -> Sequence[CodedValue]:
    """The entries of a small directory in their order."""
    return repository.coded_values(session, directory_code)


def choices(session: Session, directory_code: str, language: str) -> list[tuple[str, str]]:
    """The entries of a small directory as (code, name) for a select."""
    kazakh = language == "kk"
    return [(value.code, value.name_kk if kazakh else value.name_ru) for value in values(session, directory_code)]


def check_value(session: Session, directory_code: str, code: str, field: str) -> None:
    """Raises UnknownCode at ``field`` when the small directory has no such active entry."""
    if code not in {value.code for value in values(session, directory_code)}:
        raise UnknownCode(field)


def is_preventive(visit_reason: str) -> bool:
    """Whether a visit for this reason counts as preventive."""
    return files.kinds("visit_reason").get(visit_reason) == "preventive"


def directory_list(session: Session) -> list[DirectoryInfo]:
    """All directories with their editions and sizes."""
    small = repository.coded_counts(session)
    return [
        DirectoryInfo(
            d.code, d.title_kk, d.title_ru, d.status, d.version, d.source, d.loaded_at,
            small.get(d.code) or _large_count(session, d.code),
        )
        for d in repository.directories(session)
    ]  # fmt: skip


def _large_count(session: Session, code: str) -> int:
    if code in MODELS:
        return repository.table_count(session, MODELS[code])
    model = {
        "kato": Kato, "service_tariff": ServiceTariff, "lab_reference_interval": LabReferenceInterval,
    }.get(code)  # fmt: skip
    return repository.table_count(session, model) if model else 0


def directory_info(session: Session, code: str) -> DirectoryInfo:
    """One directory. Raises NotFound."""
    for info in directory_list(session):
        if info.code == code:
            return info
    raise NotFound


def entries(session: Session, code: str, text: str, limit: int, offset: int) -> tuple[list[Any], int]:
    """A page of a directory's entries, searched or in order, and how many there are."""
    if code == "kato":
        territories, total = repository.list_kato(session, text, limit, offset)
        return list(territories), total
    if code == "service_tariff":
        tariffs, total = repository.list_tariffs(session, text, limit, offset)
        return list(tariffs), total
    if code == "lab_reference_interval":
        intervals, total = repository.list_intervals(session, text, limit, offset)
        return list(intervals), total
    if code not in MODELS:
        values_found, total = repository.list_small(session, code, text, limit, offset)
        return list(values_found), total
    model = MODELS[code]
    if not text:
        listed, total = repository.list_all(session, model, limit, offset)
        return [as_found(entry) for entry in listed], total
    reading = read_icd10(text) if code == "icd10" else read_code(text)
    found = repository.search_entries(session, model, reading, limit=limit, offset=offset)
    return [as_found(entry) for entry in found], repository.count_entries(session, model, reading)
