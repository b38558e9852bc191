"""A query service over a handful of visits in memory, with the contract's own types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kmis.catalogue.loader import Catalogue
from kmis.catalogue.models import (
    Act,
    Column,
    Dimension,
    Directory,
    Measure,
    Passport,
    Passports,
    Product,
    Source,
    Text,
    Threshold,
    Titles,
)
from kmis.query import (
    Breakdown,
    BreakdownRow,
    Figures,
    Label,
    MeasureValue,
    Published,
    RowPage,
    Selection,
    SelectionError,
    SnapshotUnknown,
    TrendPoint,
)

TODAY = date(2026, 11, 24)
DRILL = (("region",), ("organisation",), ("department", "site"), ("doctor",))


@dataclass(frozen=True)
class Visit:
    region: str
    organisation: str
    department: str
    site: str
    doctor: str
    visit_reason: str
    day: date
    patient: str


def visits() -> list[Visit]:
    made = []
    for number in range(60):
        organisation = "10" if number % 3 else "11"
        made.append(
            Visit(
                region="1",
                organisation=organisation,
                department=f"{organisation}{number % 2}",
                site=f"{organisation}{number % 4}" if number % 7 else "",
                doctor=f"{organisation}{number % 5}",
                visit_reason="disease" if number % 4 else "preventive",
                day=TODAY - timedelta(days=number % 20),
                patient=f"Patient {number:02d}",
            )
        )
    return made


def _titles(name: str) -> Titles:
    return Titles(kk=f"{name} қаз", ru=f"{name} рус", en=name)


def _dimension(name: str) -> Dimension:
    directory = Directory(table="dim_any", key="code", name_kk="name_kk", name_ru="name_ru", sort="code")
    return Dimension(name=name, titles=_titles(name), directory=directory)


def _passport(language: str) -> Passport:
    return Passport(**{field: f"{field} {language}" for field in Passport.model_fields})


CELLS = (
    Column(name="reason", titles=Text(kk="Себебі", ru="Повод"), dimension="visit_reason"),
    Column(name="visits", titles=Text(kk="Бару", ru="Посещения"), type="integer", measure="visits"),
)


def product(product_id: str = "DASH-01", kind: str = "dashboard", period: str = "range") -> Product:
    limits = Threshold(attention_from=15, critical_from=30, source="test")
    count = Measure(
        name="visits",
        titles=Text(kk="Барлық келу", ru="Все посещения"),
        kind="count",
        definition=Text(kk="анықтама", ru="определение"),
        unit=Text(kk="келу", ru="посещение"),
        threshold=limits if kind == "board" else None,
    )
    share = Measure(
        name="disease_share",
        titles=Text(kk="Ауру үлесі", ru="Доля по заболеванию"),
        kind="ratio",
        numerator="visits",
        denominator="visits",
        factor=100,
        decimals=1,
        definition=Text(kk="анықтама", ru="определение"),
        unit=Text(kk="%", ru="%"),
    )
    columns = (
        Column(name="visit_date", titles=Text(kk="Күні", ru="Дата"), type="date", field="visit_date"),
        Column(name="patient", titles=Text(kk="Пациент", ru="Пациент"), field="patient", identifier=True),
        Column(name="quantity", titles=Text(kk="Саны", ru="Количество"), type="integer", field="quantity"),
    )
    return Product(
        id=product_id,
        kind=kind,
        short_name="visits",
        titles=_titles(product_id),
        short_titles=Text(kk="Келулер", ru="Посещения"),
        grain=_titles("one visit"),
        period=period,
        sources=(Source(name="visit", fact="visit", columns=columns),),
        measures=(count, share),
        drill=DRILL,
        dimensions=("visit_reason",),
        structure=("visit_reason",),
        outputs=("dashboard",),
        unload="cells" if kind == "unload" else "rows",
        cell_columns=CELLS if kind == "unload" else (),
        passport=Passports(kk=_passport("kk"), ru=_passport("ru")),
        act=Act(titles=Text(kk="Бұйрық", ru="Приказ"), source="test"),
        valid_from=date(2020, 1, 1),
    )


class FakeQuery:
    """What the pages use of the query service; `publish` makes a newer snapshot of more visits."""

    def __init__(self) -> None:
        products = (product(), product("LIVE-04", "board", "day"), product("XLS-01", "unload"))
        names = [name for level in DRILL for name in level] + ["visit_reason"]
        dimensions = {name: _dimension(name) for name in names}
        self.catalogue = Catalogue(products, {}, dimensions, {})
        self._visits: dict[int, list[Visit]] = {}
        self.asked: list[tuple[str, Any]] = []
        self.state = "ok"
        self.publish(visits())

    def publish(self, rows: list[Visit]) -> int:
        snapshot = len(self._visits) + 101
        self._visits[snapshot] = rows
        return snapshot

    def add_visit(self) -> int:
        latest = self._visits[max(self._visits)]
        return self.publish([*latest, replace(latest[0], patient="Patient new", day=TODAY)])

    def close(self) -> None: ...

    def today(self) -> date:
        return TODAY

    def current(self) -> Published:
        return self.published(max(self._visits))

    def published(self, snapshot_id: int) -> Published:
        if snapshot_id not in self._visits:
            raise SnapshotUnknown
        at = datetime(2026, 11, 24, 8, 0, snapshot_id % 60, tzinfo=UTC)
        state = self.state
        return Published(snapshot_id, 5, at, at, 12.0, state)

    def next_levels(self, product_id: str, selection: Selection) -> tuple[Dimension, ...]:
        passed = {name for name, _ in selection.path}
        depth = max((place + 1 for place, level in enumerate(DRILL) if passed & set(level)), default=0)
        return tuple(self.catalogue.dimensions[name] for name in DRILL[depth]) if depth < len(DRILL) else ()

    def _rows(self, selection: Selection, snapshot: int) -> list[Visit]:
        self.asked.append(("snapshot", snapshot))
        found = []
        for visit in self._visits[snapshot]:
            inside = selection.period_from <= visit.day <= selection.period_to
            on_path = all(getattr(visit, name) == key for name, key in selection.path)
            kept = all(getattr(visit, name) in keys for name, keys in selection.filters.items())
            if inside and on_path and kept:
                found.append(visit)
        return found

    def _measures(self, product_id: str, rows: list[Visit]) -> dict[str, MeasureValue]:
        count, share = self.catalogue.product(product_id).measures
        attention = "none"
        if count.threshold is not None:
            attention = "critical" if len(rows) >= 30 else "attention" if len(rows) >= 2 else "none"
        disease = sum(row.visit_reason == "disease" for row in rows)
        ratio = 100 * disease / len(rows) if rows else None
        return {
            "visits": MeasureValue(count, len(rows), attention=attention),
            "disease_share": MeasureValue(share, ratio, disease, len(rows)),
        }

    def figures(self, product_id: str, selection: Selection, scope: Any, snapshot: int) -> Figures:
        rows = self._rows(selection, snapshot)
        return Figures(self.catalogue.product(product_id), snapshot, self._measures(product_id, rows))

    def breakdown(self, product_id: str, selection: Selection, dimension: str, scope: Any, snapshot: int) -> Breakdown:
        groups: dict[str, list[Visit]] = {}
        for row in self._rows(selection, snapshot):
            groups.setdefault(getattr(row, dimension), []).append(row)
        rows = tuple(
            BreakdownRow(self._label(dimension, key), self._measures(product_id, groups[key])) for key in sorted(groups)
        )
        return Breakdown(self.catalogue.product(product_id), snapshot, dimension, rows)

    def trend(
        self, product_id: str, selection: Selection, scope: Any, snapshot: int, step: str = "day"
    ) -> tuple[TrendPoint, ...]:
        starts: dict[str, Callable[[date], date]] = {
            "day": lambda day: day,
            "month": lambda day: day.replace(day=1),
            "year": lambda day: date(day.year, 1, 1),
        }
        groups: dict[date, list[Visit]] = {}
        for row in self._rows(selection, snapshot):
            groups.setdefault(starts[step](row.day), []).append(row)
        return tuple(TrendPoint(day, self._measures(product_id, groups[day])) for day in sorted(groups))

    def rows(
        self,
        product_id: str,
        selection: Selection,
        scope: Any,
        snapshot: int,
        language: str = "ru",
        page: int = 1,
        page_size: int = 50,
        sort: str | None = None,
        descending: bool = False,
        search: str | None = None,
        measure: str | None = None,
    ) -> RowPage:
        self.asked.append(("rows", scope))
        found = self._rows(selection, snapshot)
        total = len(found)
        if search:
            found = [row for row in found if search.lower() in row.patient.lower()]
        cells = sorted(((row.day, row.patient, 1) for row in found), reverse=descending)
        first = (page - 1) * page_size
        return RowPage(
            self.catalogue.product(product_id).columns,
            tuple(cells[first : first + page_size]),
            total,
            len(found),
            page,
            page_size,
        )

    def cells(
        self,
        product_id: str,
        selection: Selection,
        scope: Any,
        snapshot: int,
        language: str = "ru",
        page: int = 1,
        page_size: int = 50,
    ) -> RowPage:
        found = Counter(row.visit_reason for row in self._rows(selection, snapshot))
        return RowPage(CELLS, tuple(sorted(found.items())), len(found), len(found), page, page_size)

    def filter_values(
        self,
        product_id: str,
        dimension: str,
        scope: Any,
        snapshot: int,
        selection: Selection | None = None,
        search: str | None = None,
        limit: int = 200,
    ) -> tuple[Label, ...]:
        keys = sorted({getattr(row, dimension) for row in self._visits[snapshot]})
        return tuple(self._label(dimension, key) for key in keys)

    def path_labels(self, product_id: str, selection: Selection, scope: Any, snapshot: int) -> tuple[Label, ...]:
        return tuple(self._label(name, key) for name, key in selection.path)

    @staticmethod
    def _label(dimension: str, key: str) -> Label:
        if not key:
            return Label("", "", "")
        return Label(key, f"{dimension} {key} қаз", f"{dimension} {key} рус", kazakh_missing=key.endswith("1"))


__all__ = ["TODAY", "FakeQuery", "SelectionError", "Visit", "product", "visits"]
