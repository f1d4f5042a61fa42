"""The pages of buying and of the station's desk."""
