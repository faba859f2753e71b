"""The words after `source =`: one file each, exporting `SOURCE`."""
