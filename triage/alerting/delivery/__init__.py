"""Delivery: sends pages to receivers, and writes alerts to the alerts index and the alerts topic."""
