"""Random changes of training images: one file each, exporting `AUGMENTATION`."""
