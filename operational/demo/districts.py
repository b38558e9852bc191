"""Which district is shown: Karatobe, or an area of another district or of the town, under the region's own hospitals.

Names of districts and their codes are those of KATO. Hospitals and polyclinics outside Karatobe, and how many people
each district has, are from general knowledge, verify: ``data/districts.csv``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from operational.demo.people import Okrug, okrugs, rows
from operational.domains.catalogs import files

KARATOBE: Final = "275000000"
REGION: Final = ("region", "regional", "perinatal")
SERIALS: Final = range(9000, 10_000)
# People of the other areas carry numbers below those of the store, each area out of its own block.
SERIALS_BEYOND: Final = 8000
BLOCK: Final = 25
# An area with fewer people than this is left out.
FEWEST: Final = 300
MOST: Final = 33_000


@dataclass(frozen=True, slots=True)
class District:
    """Okrugs and organisations of what is shown; ``organisations`` has the columns of ``data/organisations.csv``.

    ``number`` is 0 for Karatobe; ``earlier`` is the older name of the polyclinic, in Kazakh and in Russian.
    """

    number: int
    kato: str
    okrugs: tuple[Okrug, ...]
    organisations: tuple[dict[str, str], ...]
    earlier: tuple[str, str]
    serials: range

    @property
    def shares(self) -> dict[str, float]:
        """The part of the people that each organisation of primary care serves."""
        found: dict[str, float] = {}
        for okrug in self.okrugs:
            found[okrug.organisation] = found.get(okrug.organisation, 0.0) + okrug.share
        return found


@dataclass(frozen=True, slots=True)
class Area:
    """A part of the region beside Karatobe with its number of people; area ``first`` brings the district's own row."""

    district: District
    people: int
    first: int


def karatobe() -> District:
    """The district that the operational store holds."""
    codes = okrug_codes(KARATOBE)
    return District(
        0, KARATOBE, tuple(okrugs(codes)),
        tuple({**row, "kato": codes.get(row["kato"], row["kato"])} for row in rows("organisations.csv")),
        ("Қаратөбе аудандық емханасы", "Каратобинская районная поликлиника"), SERIALS,
    )  # fmt: skip


def areas(people: int) -> list[Area]:
    """So many people over the areas of the region's other districts and of the town; with few people over fewer areas.

    Raises ValueError for fewer people than an area has, or more than the areas hold.
    """
    places = [(row, part) for row in rows("districts.csv") for part in range(int(row["areas"]))]
    chosen = places[: people // FEWEST]
    total = sum(_weight(row) for row, _ in chosen)
    if not chosen or people > MOST * len(places):
        raise ValueError(f"people of the other districts: {FEWEST} to {MOST * len(places)}")
    found: list[Area] = []
    placed, weight = 0, 0.0
    for number, (row, part) in enumerate(chosen, 1):
        weight += _weight(row)
        here = round(people * weight / total) - placed
        placed += here
        found.append(Area(_district(number, row, part), here, number - part))
    return found


def okrug_codes(district: str) -> dict[str, str]:
    """Codes of a district's okrugs by their Russian names."""
    return {row[3]: row[0] for row in files.kato_rows() if row[2] == district}


def _weight(row: dict[str, str]) -> float:
    return int(row["people"]) / int(row["areas"])


def _district(number: int, row: dict[str, str], part: int) -> District:
    """Karatobe's shape with the names of another district; its okrugs where they are known, else the district."""
    kato, town = row["kato"], row["town"] == "1"
    mark = f" № {part + 1}" if int(row["areas"]) > 1 else ""
    known = list(okrug_codes(kato).items())
    base = okrugs(okrug_codes(KARATOBE))
    places: list[Okrug] = []
    for place, okrug in enumerate(base):
        name, code = known[(part * len(base) + place) % len(known)] if known else (row["centre_ru"], kato)
        village_kk = row["centre_kk"] if not known or place == 0 else name.removesuffix(" сельский округ")
        places.append(Okrug(code, village_kk, name, okrug.share, okrug.organisation, town))
    kk, ru = row["stem_kk"], row["name_ru"]
    names = _town_names(mark, part + 1) if town else _district_names(kk, ru, mark)
    title = next(r for r in files.kato_rows() if r[0] == kato)
    names["district"] = str(title[4] or title[3]), str(title[3])
    organisations: list[dict[str, str]] = []
    for place, own in enumerate(rows("organisations.csv")):
        if own["key"] in REGION:
            organisations.append(own)
            continue
        name_kk, name_ru = names[own["key"]]
        organisations.append(
            {**own, "code": kato[:6] if own["key"] == "district" else f"27{number:02d}{place}",
             "kind": "polyclinic" if town and own["kind"] == "rural" else own["kind"], "kato": kato,
             "name_kk": name_kk, "name_ru": name_ru}
        )  # fmt: skip
    first = SERIALS_BEYOND + BLOCK * (number - 1)
    return District(
        number, kato, tuple(places), tuple(organisations), (f"{names['polyclinic'][0]} (бұрынғы)",
        f"{names['polyclinic'][1]} (прежняя)"), range(first, first + BLOCK),
    )  # fmt: skip


def _district_names(kk: str, ru: str, mark: str) -> dict[str, tuple[str, str]]:
    of_ru = ru.removesuffix("ая") + "ой"
    names = {
        "hospital": (f"{kk} аудандық ауруханасы{mark}", f"{ru} районная больница{mark}"),
        "polyclinic": (f"{kk} аудандық ауруханасы{mark} емханасы", f"Поликлиника {of_ru} районной больницы{mark}"),
    }
    for key, sign in (("egindikol", "А"), ("sulykol", "Б"), ("zhusandoy", "В")):
        names[key] = f"{kk} дәрігерлік амбулаториясы{mark} {sign}", f"{ru} врачебная амбулатория{mark} {sign}"
    return names


def _town_names(mark: str, number: int) -> dict[str, tuple[str, str]]:
    names = {
        "hospital": (f"Орал қалалық ауруханасы{mark}", f"Уральская городская больница{mark}"),
        "polyclinic": (f"Орал қалалық емханасы{mark}", f"Уральская городская поликлиника{mark}"),
    }
    for place, key in enumerate(("egindikol", "sulykol", "zhusandoy"), 1):
        names[key] = (
            f"Отбасылық денсаулық орталығы № {number}-{place}", f"Центр семейного здоровья № {number}-{place}",
        )  # fmt: skip
    return names
