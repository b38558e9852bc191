"""Acts of a polyclinic: visits, bookings, the register, home calls, deaths at home, signal cases."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, Final

from kmis.iin import generate_first
from operational.demo.live.speaking import Nobody
from operational.demo.live.stage import Row, Stage
from operational.demo.names import Names, Sex
from operational.demo.people import years_before

# Diagnosis, reason of the visit, character, outcome, a service that is often done. From general knowledge, verify.
VISITS: Final = (
    ("J06.9", "acute_disease", "acute", "treatment_continues", "LAB-002"),
    ("J20.9", "acute_disease", "acute", "treatment_continues", "LAB-002"),
    ("I10", "dynamic_observation", "chronic_known", "no_change", "FUN-001"),
    ("E11.9", "dynamic_observation", "chronic_known", "improvement", "LAB-009"),
    ("M54.5", "acute_disease", "acute", "improvement", ""),
    ("K29.5", "chronic_exacerbation", "chronic_known", "referred_examination", "LAB-001"),
    ("N30.0", "acute_disease", "acute", "treatment_continues", "LAB-004"),
    ("Z00.0", "preventive_exam", "na", "healthy", ""),
)
COMPLAINTS: Final = ("Жөтел, тұмау / Кашель, насморк", "Бас ауруы / Головная боль", "Шағым жоқ / Жалоб нет")
REASON: Final = "Қателік түзетілді / Исправлена ошибка"
CANCELS: Final = ("patient_request", "patient_recovered", "no_transport", "rebooked")
CAUSES: Final = (("I25.1", None), ("I63.9", "I46.9"), ("C34.9", None), ("J44.9", None))
# Numbers of the generated population begin at 9000; people who come to live here get these.
SERIALS: Final = (6000, 8999)
FIELDS: Final = (
    "identity_kind", "iin", "surname", "given_name", "patronymic", "earlier_surnames", "birth_date", "sex",
    "document_kind", "document_number", "citizenship", "phone", "address", "residence_kato", "urban_flag",
    "mother_id", "birth_order", "iin_mismatch_reason",
)  # fmt: skip


def visit(stage: Stage) -> None:
    """A visit from its beginning to the signature, of somebody who is booked or who just comes."""
    doctor = stage.user("doctor")
    body: dict[str, Any] = {"financing_source": stage.rng.choice(("gobmp", "osms", "osms"))}
    try:
        if stage.rng.random() > 0.3:
            raise Nobody
        who = stage.one(
            "select id, patient_id from appointment where practitioner_id = %(doctor)s and status in ('booked',"
            " 'arrived') and starts_at::date = current_date and not exists (select from encounter e"
            " where e.appointment_id = appointment.id) order by starts_at",
            doctor=doctor.practitioner_id,
        )
        body["appointment_id"] = who["id"]
    except Nobody:
        who = stage.person(doctor.organisation_id, "p.birth_date < current_date - 6600")
    code, reason, character, outcome, service = stage.rng.choice(VISITS)
    body |= {"patient_id": who["patient_id"], "visit_reason": reason}
    key = stage.api.post("doctor", "/api/encounters", body)["id"]
    stage.keep("visit.started", "encounter", id=key)
    part = stage.api.post(
        "doctor", f"/api/encounters/{key}/conditions", {"icd10_code": code, "character": character}
    )  # fmt: skip
    stage.keep("visit.diagnosed", "condition", id=part["id"], encounter_id=key)
    if service and stage.rng.random() < 0.4:
        done = stage.api.post("doctor", f"/api/encounters/{key}/procedures", {"service_code": service})
        stage.keep("visit.served", "procedure", id=done["id"], encounter_id=key)
    if stage.rng.random() < 0.15:
        wanted = {"kind": "consultation", "specialty_code": "cardiology", "reason": "Кеңес / Консультация"}
        sent = stage.api.post("doctor", f"/api/encounters/{key}/referrals", wanted)
        stage.keep("visit.referred", "service_request", id=sent["id"], encounter_id=key)
    text = {"outcome": outcome, "complaints": stage.rng.choice(COMPLAINTS)}
    stage.api.post("doctor", f"/api/encounters/{key}", text, method="PATCH")
    stage.keep("visit.written", "encounter", id=key, outcome="*")
    signed = stage.api.post("doctor", f"/api/encounters/{key}/sign")
    stage.keep("visit.signed", "signed_document", encounter_id=key, version=signed["version"])


def correct_visit(stage: Stage) -> None:
    """An own visit of an earlier day is corrected: opened again, written, signed as a new version."""
    key = _earlier_visit(stage)["id"]
    stage.api.post("doctor", f"/api/encounters/{key}/reopen", {"reason": REASON})
    stage.audited("visit.reopened", "visit.reopened", "encounter", key)
    text = {"outcome": stage.rng.choice(("improvement", "no_change")), "plan": "Бақылау / Наблюдение"}
    stage.api.post("doctor", f"/api/encounters/{key}", text, method="PATCH")
    signed = stage.api.post("doctor", f"/api/encounters/{key}/sign")
    stage.keep("visit.corrected", "signed_document", encounter_id=key, version=signed["version"])


def void_visit(stage: Stage) -> None:
    """An own visit of an earlier day was entered in error."""
    key = _earlier_visit(stage)["id"]
    stage.api.post("doctor", f"/api/encounters/{key}/void", {"reason": REASON})
    stage.keep("visit.voided", "encounter", id=key, status="entered_in_error")


def _earlier_visit(stage: Stage) -> Row:
    return stage.one(
        "select e.id, e.patient_id from encounter e where e.practitioner_id = %(doctor)s and e.signed_at is not null"
        " and e.voided_at is null and e.started_at < now() - interval '26 hours'"
        " and exists (select from condition c where c.encounter_id = e.id and c.rank = 'main' and c.voided_at is null)"
        " order by e.id desc",
        doctor=stage.user("doctor").practitioner_id,
    )


def book(stage: Stage) -> None:
    """A seat of the next days for somebody; a new day is opened when few seats are left."""
    own = stage.user("registrar").organisation_id
    slots = stage.api.get("registrar", "/api/slots", day=stage.day(stage.rng.randint(0, 7)))
    ahead = [slot for slot in slots if datetime.fromisoformat(slot["starts_at"]) > stage.now]
    stage.rng.shuffle(ahead)
    slot = next((slot for slot in ahead if stage.hold(("slot", slot["id"]))), None)
    if slot is None:
        open_schedule(stage)
        return
    who = stage.person(
        own, "not exists (select from appointment b where b.patient_id = p.id and b.status <> 'cancelled'"
        " and b.ends_at > now())",
    )  # fmt: skip
    channel = stage.rng.choice(("registry", "phone", "phone", "patient_app"))
    body = {"slot_id": slot["id"], "patient_id": who["patient_id"], "booking_channel": channel}
    booked = stage.api.post("registrar", "/api/appointments", body)
    stage.keep("appointment.booked", "appointment", id=booked["id"], slot_id=slot["id"])


def open_schedule(stage: Stage) -> None:
    """A day of work for a doctor and a room that are free on it."""
    found = stage.rows(
        "select r.id as role, r.practitioner_id, m.id as room, d.day from practitioner_role r"
        " join room m on m.organisation_id = r.organisation_id and m.department_id = r.department_id"
        " cross join (select current_date + g as day from generate_series(15, 60) as g) d"
        " where r.organisation_id = %(own)s and r.valid_to is null and extract(isodow from d.day) < 6"
        " and not exists (select from schedule s where s.cancelled_at is null and s.starts_at::date = d.day"
        " and (s.practitioner_id = r.practitioner_id or s.room_id = m.id)) order by d.day, r.id limit 20",
        own=stage.user("registrar").organisation_id,
    )
    stage.rng.shuffle(found)
    for row in found:
        if stage.hold(("room", row["room"], row["day"])) and stage.hold(("work", row["practitioner_id"], row["day"])):
            day = row["day"].isoformat()
            body = {
                "practitioner_role_id": row["role"], "room_id": row["room"], "date_from": day, "date_to": day,
                "start_time": "09:00", "end_time": "13:00",
            }  # fmt: skip
            for key in stage.api.post("registrar", "/api/schedules", body):
                stage.keep("schedule.made", "schedule", id=key)
            return
    raise Nobody


def cancel_booking(stage: Stage) -> None:
    """Somebody will not come."""
    row = stage.one(
        "select id, patient_id from appointment where owner_organisation_id = %(own)s and status = 'booked'"
        " and starts_at > now() order by id desc",
        own=stage.user("registrar").organisation_id,
    )
    body = {"cancel_reason": stage.rng.choice(CANCELS)}
    stage.api.post("registrar", f"/api/appointments/{row['id']}/cancel", body)
    stage.keep("appointment.cancelled", "appointment", id=row["id"], status="cancelled")


def register(stage: Stage) -> None:
    """Somebody comes to live here: registered, then attached to a site."""
    rng, own = stage.rng, stage.user("registrar").organisation_id
    names = Names(rng)
    sex: Sex = rng.choice(("M", "F"))
    family = names.family()
    birth = years_before(stage.local.date(), rng.randint(1, 70)) - timedelta(days=rng.randint(0, 300))
    start = rng.randint(*SERIALS)
    father = names.first_name("M", family.kazakh)
    body = {
        "iin": generate_first(birth, sex, range(start, start + 50)),
        "surname": family.surname_m if sex == "M" else family.surname_f,
        "given_name": names.first_name(sex, family.kazakh),
        "patronymic": names.patronymic(father, sex, birth.year, family.kazakh),
        "birth_date": birth.isoformat(), "sex": sex, "confirm_not_duplicate": True,
    }  # fmt: skip
    if stage.rows("select 1 from patient where iin = %(iin)s", iin=body["iin"]):
        raise Nobody
    key = stage.api.post("registrar", "/api/patients", body)["id"]
    stage.keep("patient.registered", "patient", id=key)
    sites = stage.rows(
        "select id from site where organisation_id = %(own)s and valid_to is null and kind <> 'paediatric' order by id",
        own=own,
    )
    place = {"site_id": rng.choice(sites)["id"], "valid_from": stage.day(), "reason": "Көшіп келді / Переезд"}
    attached = stage.api.post("registrar", f"/api/patients/{key}/attachments", place)
    stage.keep("patient.attached", "attachment", id=attached["id"], patient_id=key)


def correct_patient(stage: Stage) -> None:
    """Somebody has another telephone."""
    who = stage.person(stage.user("registrar").organisation_id, "p.identity_kind = 'citizen'")
    row = stage.rows(f"select {', '.join(FIELDS)} from patient where id = %(key)s", key=who["patient_id"])[0]
    body = {name: value.isoformat() if isinstance(value, date) else value for name, value in row.items() if value}
    body |= {"phone": f"+77000{stage.rng.randint(0, 999_999):06d}", "reason": REASON}
    stage.api.post("registrar", f"/api/patients/{who['patient_id']}", body, method="PUT")
    stage.audited("patient.corrected", "patient.edited", "patient", who["patient_id"])


def call_home(stage: Stage) -> None:
    """Somebody calls a doctor to the house."""
    who = stage.person(stage.user("registrar").organisation_id)
    body = {
        "patient_id": who["patient_id"], "complaint": stage.rng.choice(COMPLAINTS),
        "urgency": stage.rng.choice(("routine", "routine", "urgent")),
    }  # fmt: skip
    key = stage.api.post("registrar", "/api/home-calls", body)["id"]
    stage.keep("call.registered", "home_call", id=key)


def perform_call(stage: Stage) -> None:
    """Doctor or nurse went to a call; now and then nobody was at home."""
    row = _open_call(stage)
    found = stage.rng.random() > 0.07
    body = {"result_note": "Қаралды, ем тағайындалды / Осмотрен, назначено лечение"}
    login = stage.rng.choice(("doctor", "doctor", "nurse"))
    done = stage.api.post(login, f"/api/home-calls/{row['id']}/{'perform' if found else 'not-found'}", body)
    stage.keep("call.performed", "home_call", id=row["id"], status=done["status"])


def cancel_call(stage: Stage) -> None:
    """A call is taken back."""
    row = _open_call(stage)
    stage.api.post("registrar", f"/api/home-calls/{row['id']}/cancel", {"reason": REASON})
    stage.keep("call.cancelled", "home_call", id=row["id"], status="cancelled")


def _open_call(stage: Stage) -> Row:
    return stage.one(
        "select id, patient_id from home_call where owner_organisation_id = %(own)s and voided_at is null"
        " and status in ('registered', 'assigned') and called_at < now() order by id desc",
        own=stage.user("registrar").organisation_id,
    )


def die(stage: Stage) -> None:
    """Somebody of great age died at home."""
    who = stage.person(
        stage.user("doctor").organisation_id,
        "p.birth_date < current_date - 25000"
        " and not exists (select from hospital_stay s where s.patient_id = p.id and s.discharged_at is null)"
        " and not exists (select from hospital_presentation h where h.patient_id = p.id and h.decision = 'waiting')",
    )
    underlying, immediate = stage.rng.choice(CAUSES)
    body = {
        "patient_id": who["patient_id"], "died_at": stage.now.isoformat(), "place": "home",
        "underlying_icd10": underlying, "immediate_icd10": immediate,
    }  # fmt: skip
    key = stage.api.post("doctor", "/api/deaths", body)["id"]
    stage.keep("death.registered", "death", id=key)


def see_signal(stage: Stage) -> None:
    """An addressee opens a case."""
    row = _open_case(stage, "c.seen_at is null")
    case = stage.api.get(row["login"], f"/api/signals/{row['id']}")
    if case["closed_at"] is not None:
        raise Nobody  # it was closed meanwhile: nobody has to see it any more
    stage.keep("signal.seen", "signal_event", case_id=row["id"], kind="seen")


def contact(stage: Stage) -> None:
    """An addressee speaks to the patient of a case."""
    row = _open_case(stage)
    body = {"note": "Байланыс орнатылды / Связались по телефону"}
    stage.api.post(row["login"], f"/api/signals/{row['id']}/contacted", body)
    stage.keep("signal.contacted", "signal_event", case_id=row["id"], kind="contacted")


def close_signal(stage: Stage) -> None:
    """A case is over."""
    row = _open_case(stage)
    outcome = stage.rng.choice(("contacted", "reviewed"))
    stage.api.post(row["login"], f"/api/signals/{row['id']}/close", {"outcome": outcome})
    stage.keep("signal.closed", "signal_event", case_id=row["id"], kind="closed")


def _open_case(stage: Stage, condition: str = "true") -> Row:
    """An open case with the login that it is addressed to; one of the polyclinic's queue is taken first."""
    doctor, nurse = stage.user("doctor"), stage.user("nurse")
    row = stage.one(
        "select c.id, c.patient_id, c.practitioner_id, c.nurse_id from signal_case c"
        f" where c.owner_organisation_id = %(own)s and c.state <> 'closed' and {condition}"
        " and c.event_at < now() order by c.id desc",
        own=doctor.organisation_id,
    )
    if row["practitioner_id"] == doctor.practitioner_id:
        return row | {"login": "doctor"}
    if row["nurse_id"] == nurse.practitioner_id:
        return row | {"login": "nurse"}
    stage.api.post("doctor", f"/api/signals/{row['id']}/take")
    stage.audited("signal.taken", "signal.assigned", "signal_case", row["id"])
    return row | {"login": "doctor"}
