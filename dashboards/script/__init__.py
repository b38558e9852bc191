"""Streamlit's entry script."""
