"""The pages of questions: for everybody, for the seller, the station of the goods, the province."""
