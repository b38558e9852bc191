"""Exploration of the analytical products: Streamlit pages out of the catalogue, behind a session guard."""
