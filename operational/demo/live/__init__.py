"""Simulated users of a running installation: they speak HTTP, MLLP and DICOM, as people and devices do."""
