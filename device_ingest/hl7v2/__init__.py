"""HL7 version 2 over MLLP: ORU^R01 of versions 2.3 to 2.5.1 with acknowledgement (HL7 2.5.1 chapters 2 and 7)."""
