"""Calls to the patient's home and actives: who asked, who goes, until when, what came of it."""
