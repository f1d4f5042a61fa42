"""The pages of sellers and of the station's review, and the pictures themselves."""
