"""Orders of laboratory tests and imaging, their results, the devices that deliver them and what waits in the inbox."""
