"""Listeners for devices: DICOM modalities and laboratories. What they deliver is durable before it is acknowledged."""
