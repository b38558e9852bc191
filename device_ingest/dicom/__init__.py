"""DICOM: verification (C-ECHO), storage (C-STORE), modality worklist (C-FIND). DICOM PS3.4 annexes A, B and K."""
