"""The pages of reviews: for everybody, for the seller, the station of the goods, the province."""
