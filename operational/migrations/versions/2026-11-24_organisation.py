"""Tables: organisation."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "2026_11_24_organisation"
down_revision = "2026_11_24_functions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "organisation",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("bin", sa.Text(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint(
            "kind in ('region','district','hospital','polyclinic','rural')", name=op.f("ck_organisation_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation")),
        sa.UniqueConstraint("code", name=op.f("uq_organisation_code")),
    )
    op.create_table(
        "organisation_version",
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("name_kk", sa.Text(), nullable=False),
        sa.Column("name_ru", sa.Text(), nullable=False),
        sa.Column("kato_code", sa.Text(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("organisation_id"), "="),
            (sa.literal_column("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="ex_organisation_version_period",
        ),
        sa.CheckConstraint(
            "parent_id is null or parent_id <> organisation_id", name=op.f("ck_organisation_version_parent")
        ),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("ck_organisation_version_validity")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_version_organisation_id")
        ),
        sa.ForeignKeyConstraint(["parent_id"], ["organisation.id"], name=op.f("fk_organisation_version_parent_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_version")),
    )
    op.create_index(op.f("ix_organisation_version_parent_id"), "organisation_version", ["parent_id"], unique=False)
    op.create_table(
        "department",
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_kk", sa.Text(), nullable=False),
        sa.Column("name_ru", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("ck_department_validity")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_department_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_department")),
        sa.UniqueConstraint("id", "organisation_id", name=op.f("uq_department_id_organisation_id")),
        sa.UniqueConstraint("organisation_id", "code", name=op.f("uq_department_organisation_id_code")),
    )
    op.create_table(
        "site",
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name_kk", sa.Text(), nullable=False),
        sa.Column("name_ru", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.CheckConstraint("kind in ('therapeutic','paediatric','general_practice')", name=op.f("ck_site_kind")),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("ck_site_validity")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_site_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site")),
        sa.UniqueConstraint("id", "organisation_id", name=op.f("uq_site_id_organisation_id")),
        sa.UniqueConstraint("organisation_id", "code", name=op.f("uq_site_organisation_id_code")),
    )
    op.create_table(
        "practitioner",
        sa.Column("surname", sa.Text(), nullable=False),
        sa.Column("given_name", sa.Text(), nullable=False),
        sa.Column("patronymic", sa.Text(), nullable=True),
        sa.Column("sort_key", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioner")),
    )
    op.create_index(op.f("ix_practitioner_sort_key"), "practitioner", ["sort_key"], unique=False)
    op.create_table(
        "practitioner_role",
        sa.Column("practitioner_id", sa.BigInteger(), nullable=False),
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=False),
        sa.Column("specialty_code", sa.Text(), nullable=False),
        sa.Column("position_code", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("practitioner_id"), "="),
            (sa.column("department_id"), "="),
            (sa.column("position_code"), "="),
            (sa.literal_column("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="ex_practitioner_role_period",
        ),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("ck_practitioner_role_validity")),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_practitioner_role_department_id")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_practitioner_role_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_practitioner_role_practitioner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practitioner_role")),
        sa.UniqueConstraint("id", "organisation_id", name=op.f("uq_practitioner_role_id_organisation_id")),
        sa.UniqueConstraint(
            "id",
            "practitioner_id",
            "organisation_id",
            name=op.f("uq_practitioner_role_id_practitioner_id_organisation_id"),
        ),
    )
    op.create_index(op.f("ix_practitioner_role_department_id"), "practitioner_role", ["department_id"], unique=False)
    op.create_index(
        op.f("ix_practitioner_role_organisation_id"), "practitioner_role", ["organisation_id"], unique=False
    )
    op.create_index(
        op.f("ix_practitioner_role_practitioner_id"), "practitioner_role", ["practitioner_id"], unique=False
    )
    op.create_table(
        "site_assignment",
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("practitioner_id", sa.BigInteger(), nullable=False),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        postgresql.ExcludeConstraint(
            (sa.column("site_id"), "="),
            (sa.column("duty"), "="),
            (sa.literal_column("daterange(valid_from, valid_to)"), "&&"),
            using="gist",
            name="ex_site_assignment_period",
        ),
        sa.CheckConstraint("duty in ('doctor','nurse')", name=op.f("ck_site_assignment_duty")),
        sa.CheckConstraint("valid_to is null or valid_to > valid_from", name=op.f("ck_site_assignment_validity")),
        sa.ForeignKeyConstraint(
            ["practitioner_id"], ["practitioner.id"], name=op.f("fk_site_assignment_practitioner_id")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_site_assignment_site_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_site_assignment")),
    )
    op.create_index(op.f("ix_site_assignment_practitioner_id"), "site_assignment", ["practitioner_id"], unique=False)
    op.create_table(
        "room",
        sa.Column("organisation_id", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_kk", sa.Text(), nullable=False),
        sa.Column("name_ru", sa.Text(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.ForeignKeyConstraint(["department_id"], ["department.id"], name=op.f("fk_room_department_id")),
        sa.ForeignKeyConstraint(["organisation_id"], ["organisation.id"], name=op.f("fk_room_organisation_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room")),
        sa.UniqueConstraint("id", "organisation_id", name=op.f("uq_room_id_organisation_id")),
        sa.UniqueConstraint("organisation_id", "code", name=op.f("uq_room_organisation_id_code")),
    )


def downgrade() -> None:
    op.drop_table("room")
    op.drop_table("site_assignment")
    op.drop_table("practitioner_role")
    op.drop_table("practitioner")
    op.drop_table("site")
    op.drop_table("department")
    op.drop_table("organisation_version")
    op.drop_table("organisation")
