"""The hospital: presentations to the admission department, stays, wards, operations, transfusions, discharge."""
