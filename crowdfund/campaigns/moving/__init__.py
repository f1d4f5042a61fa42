"""A house's giving in files, and out of them again in another house."""
