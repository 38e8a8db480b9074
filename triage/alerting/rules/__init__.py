"""Alert rules: their model, the reader of rule files, and reload without a restart."""
