"""The pages of presales: everybody's, a backer's own, the seller's and the station's."""
