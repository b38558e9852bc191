"""Tests of pregnancies and births."""
