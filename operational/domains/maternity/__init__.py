"""Pregnancies under care, their planned and held visits, births."""
