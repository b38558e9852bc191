"""Tables: laboratory tests, beds, deaths; the numbers of orders and case histories."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_resources"
down_revision = "2026_11_24_persons"
branch_labels = None
depends_on = None

ACCESSION = """
-- The number of an order: at most 16 characters of the DICOM value SH and of a laboratory's barcode, none twice.
create function kmis_accession_number() returns text language sql volatile as $$
    select to_char(now(), 'YY') || lpad(nextval('accession_no_seq')::text, 8, '0')
$$
"""

CASE_NUMBER = """
create function kmis_case_number() returns text language sql volatile as $$
    select to_char(now(), 'YY') || '-' || lpad(nextval('case_no_seq')::text, 6, '0')
$$
"""


def upgrade() -> None:
    op.execute("create sequence accession_no_seq")
    op.execute("create sequence case_no_seq")
    op.execute(ACCESSION)
    op.execute(CASE_NUMBER)
    op.create_table(
        "lab_test",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_kk", sa.Text(), nullable=True),
        sa.Column("name_ru", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=True),
        sa.Column("loinc", sa.Text(), nullable=True),
        sa.Column("specimen", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("panel", sa.Text(), nullable=True),
        sa.Column("search_key", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_test")),
        sa.UniqueConstraint("code", name=op.f("uq_lab_test_code")),
    )
    op.create_index(op.f("ix_lab_test_loinc"), "lab_test", ["loinc"], unique=False)
    op.create_index(
        "ix_lab_test_search_key",
        "lab_test",
        ["search_key"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"search_key": "gin_trgm_ops"},
    )
    op.create_table(
        "lab_reference_interval",
        sa.Column("test_code", sa.Text(), nullable=False),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("age_from_days", sa.BigInteger(), nullable=False),
        sa.Column("age_to_days", sa.BigInteger(), nullable=True),
        sa.Column("low", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("high", sa.Numeric(precision=14, scale=4), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("sex in ('M','F','U')", name=op.f("ck_lab_reference_interval_sex")),
        sa.CheckConstraint(
            "age_to_days is null or age_to_days > age_from_days", name=op.f("ck_lab_reference_interval_age")
        ),
        sa.CheckConstraint("low is null or high is null or high >= low", name=op.f("ck_lab_reference_interval_range")),
        sa.ForeignKeyConstraint(["test_code"], ["lab_test.code"], name=op.f("fk_lab_reference_interval_test_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lab_reference_interval")),
        sa.UniqueConstraint(
            "test_code",
            "sex",
            "age_from_days",
            "note",
            "valid_from",
            name="uq_lab_reference_interval",
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_table(
        "bed_stock",
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("bed_profile", sa.Text(), nullable=False),
        sa.Column("hospital_kind", sa.Text(), server_default=sa.text("'round_the_clock'"), nullable=False),
        sa.Column("beds", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("department_id"), "="),
            (sa.column("bed_profile"), "="),
            (sa.literal_column("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="ex_bed_stock_period",
        ),
        sa.CheckConstraint("hospital_kind in ('round_the_clock','day')", name=op.f("ck_bed_stock_hospital_kind")),
        sa.CheckConstraint("beds between 0 and 5000", name=op.f("ck_bed_stock_beds")),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("ck_bed_stock_validity")),
        sa.ForeignKeyConstraint(
            ["department_id", "organisation_id"],
            ["department.id", "department.organisation_id"],
            name=op.f("fk_bed_stock_department_id_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_bed_stock_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bed_stock")),
    )
    op.create_index(op.f("ix_bed_stock_organisation_id"), "bed_stock", ["organisation_id"], unique=False)
    op.create_table(
        "death",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("died_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_known_flag", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("hospital_organisation_id", sa.BigInteger(), nullable=True),
        sa.Column("underlying_icd10", sa.Text(), nullable=False),
        sa.Column("immediate_icd10", sa.Text(), nullable=True),
        sa.Column("certificate_number", sa.Text(), nullable=True),
        sa.Column("autopsy_flag", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("maternal", sa.Text(), server_default=sa.text("'no'"), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("registered_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("registered_by", sa.BigInteger(), nullable=True),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "maternal in ('no','pregnant','in_birth','within_42_days','within_year','unknown')",
            name=op.f("ck_death_maternal"),
        ),
        sa.CheckConstraint(
            "place <> 'hospital' or hospital_organisation_id is not null", name=op.f("ck_death_hospital_named")
        ),
        sa.CheckConstraint(
            "place in ('hospital','home','ambulance','workplace','street','other')", name=op.f("ck_death_place")
        ),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_death_void_has_reason")),
        sa.ForeignKeyConstraint(
            ["hospital_organisation_id"], ["organisation.id"], name=op.f("fk_death_hospital_organisation_id")
        ),
        sa.ForeignKeyConstraint(["immediate_icd10"], ["icd10.code"], name=op.f("fk_death_immediate_icd10")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_death_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_death_patient_id")),
        sa.ForeignKeyConstraint(["registered_by"], ["app_user.id"], name=op.f("fk_death_registered_by")),
        sa.ForeignKeyConstraint(["underlying_icd10"], ["icd10.code"], name=op.f("fk_death_underlying_icd10")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_death")),
    )
    op.create_index(op.f("ix_death_owner_organisation_id"), "death", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_death_patient_id"), "death", ["patient_id"], unique=False)
    op.create_index(
        "uq_death_certificate",
        "death",
        ["certificate_number"],
        unique=True,
        postgresql_where=sa.text("voided_at is null"),
    )
    op.create_index(
        "uq_death_patient", "death", ["patient_id"], unique=True, postgresql_where=sa.text("voided_at is null")
    )
    op.add_column("organisation_version", sa.Column("perinatal_level", sa.BigInteger(), nullable=True))
    op.create_unique_constraint("uq_encounter_person", "encounter", ["id", "patient_id"])
    op.create_index("ix_patient_person", "patient", [sa.text("coalesce(merged_into_id, id)")])
    op.create_check_constraint(
        op.f("ck_organisation_version_perinatal_level"), "organisation_version", "perinatal_level between 1 and 3"
    )


def downgrade() -> None:
    op.drop_constraint("uq_encounter_person", "encounter")
    op.drop_index("ix_patient_person", "patient")
    op.drop_column("organisation_version", "perinatal_level")
    op.drop_table("death")
    op.drop_table("bed_stock")
    op.drop_table("lab_reference_interval")
    op.drop_table("lab_test")
    op.execute("drop function kmis_accession_number(), kmis_case_number()")
    op.execute("drop sequence accession_no_seq, case_no_seq")
