"""Who lies where and who waits: the lists of the hospital, with the beds of each department."""
