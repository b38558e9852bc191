"""Tables: patients."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_patients"
down_revision = "2026_11_24_kit"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "patient",
        sa.Column("patient_no", sa.Integer(), server_default=sa.text("nextval('patient_no_seq')"), nullable=False),
        sa.Column("iin", sa.Text(), nullable=True),
        sa.Column("surname", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("patronymic", sa.Text(), nullable=True),
        sa.Column("earlier_surnames", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("sort_key", sa.Text(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=False),
        sa.Column("identity_kind", sa.Text(), server_default=sa.text("'citizen'"), nullable=False),
        sa.Column("mother_id", sa.BigInteger(), nullable=True),
        sa.Column("birth_order", sa.BigInteger(), nullable=True),
        sa.Column("document_kind", sa.Text(), nullable=True),
        sa.Column("document_number", sa.Text(), nullable=True),
        sa.Column("citizenship", sa.Text(), server_default=sa.text("'KAZ'"), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("residence_kato", sa.Text(), nullable=True),
        sa.Column("urban_flag", sa.Boolean(), nullable=True),
        sa.Column("iin_mismatch_reason", sa.Text(), nullable=True),
        sa.Column("death_date", sa.Date(), nullable=True),
        sa.Column("merged_into_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("void_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "birth_date <= (created_at at time zone 'UTC')::date + 1",
            name=op.f("ck_patient_birth_date_not_future"),
        ),
        sa.CheckConstraint("birth_date >= date '1880-01-01'", name=op.f("ck_patient_birth_date_plausible")),
        sa.CheckConstraint(
            "birth_date is not null or identity_kind in ('unknown','without_papers')",
            name=op.f("ck_patient_birth_date_known"),
        ),
        sa.CheckConstraint("identity_kind <> 'citizen' or iin is not null", name=op.f("ck_patient_citizen_has_iin")),
        sa.CheckConstraint(
            "identity_kind <> 'newborn' or (mother_id is not null and birth_order >= 1)",
            name=op.f("ck_patient_newborn_has_mother"),
        ),
        sa.CheckConstraint(
            "identity_kind in ('citizen','foreigner','without_papers','unknown','newborn')",
            name=op.f("ck_patient_identity_kind"),
        ),
        sa.CheckConstraint("sex in ('M','F','U')", name=op.f("ck_patient_sex")),
        sa.CheckConstraint(
            "death_date is null or birth_date is null or death_date >= birth_date",
            name=op.f("ck_patient_death_date"),
        ),
        sa.CheckConstraint("iin is null or kmis_iin_valid(iin)", name=op.f("ck_patient_iin")),
        sa.CheckConstraint("merged_into_id is null or merged_into_id <> id", name=op.f("ck_patient_not_into_itself")),
        sa.CheckConstraint("voided_at is null or void_reason is not null", name=op.f("ck_patient_void_has_reason")),
        sa.ForeignKeyConstraint(["merged_into_id"], ["patient.id"], name=op.f("fk_patient_merged_into_id")),
        sa.ForeignKeyConstraint(["mother_id"], ["patient.id"], name=op.f("fk_patient_mother_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_patient_owner_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient")),
        sa.UniqueConstraint("patient_no", name=op.f("uq_patient_patient_no")),
    )
    op.create_index(op.f("ix_patient_birth_date"), "patient", ["birth_date"], unique=False)
    op.create_index(op.f("ix_patient_document_number"), "patient", ["document_number"], unique=False)
    op.create_index("ix_patient_iin_tail", "patient", [sa.literal_column("right(iin, 4)"), "birth_date"], unique=False)
    op.create_index(op.f("ix_patient_merged_into_id"), "patient", ["merged_into_id"], unique=False)
    op.create_index(
        "ix_patient_name_key",
        "patient",
        ["name_key"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name_key": "gin_trgm_ops"},
    )
    op.create_index(op.f("ix_patient_owner_organisation_id"), "patient", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_patient_phone"), "patient", ["phone"], unique=False)
    op.create_index(op.f("ix_patient_sort_key"), "patient", ["sort_key"], unique=False)
    op.create_index("uq_patient_iin", "patient", ["iin"], unique=True, postgresql_where=sa.text("voided_at is null"))
    op.create_index(
        "uq_patient_newborn",
        "patient",
        ["mother_id", "birth_date", "birth_order"],
        unique=True,
        postgresql_where=sa.text("identity_kind = 'newborn' and voided_at is null"),
    )
    op.create_table(
        "patient_access",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_patient_access_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_patient_access_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_access")),
        sa.UniqueConstraint("organisation_id", "patient_id", name=op.f("uq_patient_access_organisation_id_patient_id")),
    )
    op.create_index(op.f("ix_patient_access_patient_id"), "patient_access", ["patient_id"], unique=False)
    op.create_table(
        "attachment",
        sa.Column("patient_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("patient_id"), "="),
            (sa.literal_column("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="ex_attachment_period",
        ),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("ck_attachment_validity")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_attachment_organisation_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"], ["organisation.id"], name=op.f("fk_attachment_owner_organisation_id")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patient.id"], name=op.f("fk_attachment_patient_id")),
        sa.ForeignKeyConstraint(
            ["site_id", "organisation_id"],
            ["site.id", "site.organisation_id"],
            name=op.f("fk_attachment_site_id_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attachment")),
    )
    op.create_index(op.f("ix_attachment_organisation_id"), "attachment", ["organisation_id"], unique=False)
    op.create_index(op.f("ix_attachment_owner_organisation_id"), "attachment", ["owner_organisation_id"], unique=False)
    op.create_index(op.f("ix_attachment_patient_id"), "attachment", ["patient_id"], unique=False)
    op.create_index(op.f("ix_attachment_site_id"), "attachment", ["site_id"], unique=False)
    op.create_table(
        "patient_merge",
        sa.Column("source_patient_id", sa.BigInteger(), nullable=False),
        sa.Column("target_patient_id", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("merged_by", sa.BigInteger(), nullable=True),
        sa.Column("separated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("separated_by", sa.BigInteger(), nullable=True),
        sa.Column("separation_reason", sa.Text(), nullable=True),
        sa.Column("owner_organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "separated_at is null or separation_reason is not null",
            name=op.f("ck_patient_merge_separation_has_reason"),
        ),
        sa.CheckConstraint("source_patient_id <> target_patient_id", name=op.f("ck_patient_merge_two_records")),
        sa.ForeignKeyConstraint(["merged_by"], ["app_user.id"], name=op.f("fk_patient_merge_merged_by")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_patient_merge_owner_organisation_id"),
        ),
        sa.ForeignKeyConstraint(["separated_by"], ["app_user.id"], name=op.f("fk_patient_merge_separated_by")),
        sa.ForeignKeyConstraint(["source_patient_id"], ["patient.id"], name=op.f("fk_patient_merge_source_patient_id")),
        sa.ForeignKeyConstraint(["target_patient_id"], ["patient.id"], name=op.f("fk_patient_merge_target_patient_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_merge")),
    )
    op.create_index(
        op.f("ix_patient_merge_owner_organisation_id"),
        "patient_merge",
        ["owner_organisation_id"],
        unique=False,
    )
    op.create_index(op.f("ix_patient_merge_target_patient_id"), "patient_merge", ["target_patient_id"], unique=False)
    op.create_index(
        "uq_patient_merge_source_open",
        "patient_merge",
        ["source_patient_id"],
        unique=True,
        postgresql_where=sa.text("separated_at is null"),
    )


def downgrade() -> None:
    op.drop_table("patient_merge")
    op.drop_table("attachment")
    op.drop_table("patient_access")
    op.drop_table("patient")
