"""Knowledge as files: reading, checking, splitting into passages, planning and applying to the index."""
