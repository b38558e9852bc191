"""Acts of an obstetrician: pregnancies, antenatal visits, births."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from operational.demo.live.speaking import Nobody
from operational.demo.live.stage import Row, Stage

# Days of pregnancy at registration: of most women, and of those who come from elsewhere to give birth here.
EARLY_DAYS, LATE_DAYS = (45, 80), (258, 276)
LATE: Final = 0.15
TERM_DAYS: Final = 250
LED: Final = """
    select g.id, g.patient_id, g.last_menstrual_date from pregnancy g
    join pregnancy_care c on c.pregnancy_id = g.id and c.valid_to is null and c.owner_organisation_id = %(own)s
    join patient p on p.id = g.patient_id and p.death_date is null
    where g.ended_on is null and g.voided_at is null and c.valid_from <= current_date
"""


def register(stage: Stage) -> None:
    """A woman is taken under pregnancy care."""
    _register(stage, LATE_DAYS if stage.rng.random() < LATE else EARLY_DAYS)


def _register(stage: Stage, term: tuple[int, int]) -> Row:
    """A pregnancy of so many days; its woman, held."""
    who = stage.person(
        stage.user("obstetrician").organisation_id,
        "p.sex = 'F' and p.birth_date between current_date - 15000 and current_date - 6800"
        " and not exists (select from pregnancy g where g.patient_id = p.id and g.voided_at is null"
        " and coalesce(g.ended_on, current_date) > current_date - 400)"
        " and not exists (select from birth b where b.patient_id = p.id and b.delivery_date > current_date - 400)",
    )
    gravida, days = stage.rng.randint(1, 4), stage.rng.randint(*term)
    body = {
        "patient_id": who["patient_id"], "last_menstrual_date": stage.day(-days), "gravida": gravida,
        "para": stage.rng.randint(0, gravida - 1), "height_cm": stage.rng.randint(152, 174),
        "weight_before_kg": f"{stage.rng.uniform(50, 84):.1f}",
    }  # fmt: skip
    key = stage.api.post("obstetrician", "/api/pregnancies", body)["id"]
    stage.keep("pregnancy.registered", "pregnancy", id=key)
    return who


def hold_visit(stage: Stage) -> None:
    """An antenatal visit: the next of the plan where one is left; some with a pressure that calls for help."""
    row = stage.one(f"{LED} order by g.id desc", own=stage.user("obstetrician").organisation_id)
    planned = stage.rows(
        "select n.visit_no from planned_pregnancy_visit n where n.pregnancy_id = %(key)s and n.voided_at is null"
        " and not exists (select from pregnancy_visit v where v.pregnancy_id = n.pregnancy_id"
        " and v.visit_no = n.visit_no and v.voided_at is null) order by n.visit_no limit 1",
        key=row["id"],
    )
    upper = stage.rng.choice((100, 110, 110, 120, 130, 165))
    body = {
        "visit_no": planned[0]["visit_no"] if planned else None, "weight_kg": f"{stage.rng.uniform(56, 92):.1f}",
        "systolic": upper, "diastolic": upper - 40, "conclusion": "Бақылау жалғасады / Наблюдение продолжается",
    }  # fmt: skip
    visit = stage.api.post("obstetrician", f"/api/pregnancies/{row['id']}/visits", body)
    stage.keep("pregnancy.visited", "pregnancy_visit", id=visit["id"], pregnancy_id=row["id"])


def deliver(stage: Stage) -> None:
    """A child is born at term and enters the register; where nobody is at term, somebody comes from elsewhere."""
    try:
        row = stage.one(
            f"{LED} and g.last_menstrual_date <= current_date - {TERM_DAYS} order by g.id desc",
            own=stage.user("obstetrician").organisation_id,
        )
    except Nobody:
        row = _register(stage, LATE_DAYS)
    body = {
        "patient_id": row["patient_id"], "born_at": (stage.now - timedelta(seconds=1)).isoformat(),
        "sex": stage.rng.choice(("M", "F")), "weight_g": stage.rng.randint(2700, 4200),
        "length_cm": stage.rng.randint(48, 56), "apgar_1": stage.rng.randint(7, 9), "apgar_5": 9,
        "delivery_mode": stage.rng.choice(("vaginal", "vaginal", "caesarean_emergency")),
        "register_child_flag": True,
    }  # fmt: skip
    birth = stage.api.post("obstetrician", "/api/births", body)
    stage.keep("birth.registered", "birth", id=birth["id"])
