"""Head of a product's page: title, passport, as-of time, reconciliation, watch for newer snapshots."""

from __future__ import annotations

import streamlit as st

from dashboards import formats
from dashboards.components.view import View
from kmis.catalogue.models import Passport
from kmis.query import QueryError

WATCH_EVERY_SECONDS = 5.0
_COLOURS = {"ok": "green", "different": "red"}
_PASSPORT_FIELDS = tuple(Passport.model_fields)


def draw_header(view: View) -> None:
    """Title with the passport beside it, and below the state of the data."""
    language = view.texts.language
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.title(f"{view.product.titles.text(language)}", anchor=False)
        with st.popover(view.texts("passport.button"), icon=":material/description:"):
            draw_passport(view)
    st.caption(f"{view.product.id} · {view.product.grain.text(language)}")
    st.fragment(draw_state, run_every=WATCH_EVERY_SECONDS)(view)


def draw_state(view: View) -> None:
    """As-of time, age, reconciliation; at the top level a newer snapshot is taken up without being asked."""
    texts = view.texts
    try:
        newest = view.query.current()
        shown = newest if newest.snapshot_id == view.snapshot_id else view.query.published(view.snapshot_id)
    except QueryError as problem:
        st.warning(texts(problem.key))
        return
    newer = newest.snapshot_id != shown.snapshot_id
    if newer and not view.held:
        st.rerun(scope="app")
    as_of = shown.event_at or shown.published_at
    state = shown.reconciliation_state
    reconciled = texts(f"state.{state if state in _COLOURS else 'unknown'}")
    colour = _COLOURS.get(state, "gray")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            texts(
                "state.line",
                as_of=formats.moment(as_of, view.zone),
                age=formats.age(shown.age_seconds, texts),
                snapshot=shown.snapshot_id,
            )
            + f" · :{colour}[{reconciled}]",
            width="content",
        )
        if newer:
            st.button(
                texts("state.show_newer"),
                key="show-newer",
                icon=":material/update:",
                type="tertiary",
                on_click=lambda: view.go(view.selection, hold=False),
                help=texts("state.newer_help", snapshot=newest.snapshot_id),
            )


def draw_passport(view: View) -> None:
    """What the figures of the product mean: obligatory fields, the act, the definition of each measure."""
    texts, language = view.texts, view.texts.language
    passport = view.product.passport.text(language)
    st.markdown(f"**{view.product.id} — {view.product.titles.text(language)}**")
    lines = [
        f"**{texts(f'passport.{field}')}.** {formats.plain(getattr(passport, field))}" for field in _PASSPORT_FIELDS
    ]
    act = view.product.act
    lines.append(f"**{texts('passport.act')}.** {act.titles.text(language)} ({act.source})")
    if not act.verified:
        lines.append(texts("passport.unverified"))
    st.markdown("\n\n".join(lines))
    st.markdown(f"**{texts('passport.measures')}**")
    for measure in view.product.shown_measures:
        unit = measure.unit.text(language)
        st.markdown(f"- **{measure.titles.text(language)}**, {unit}: {measure.definition.text(language)}")
