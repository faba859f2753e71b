"""Data sets known by name: one file each, exporting `BUILTIN`."""
