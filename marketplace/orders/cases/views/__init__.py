"""The four doors of a case: its buyer's, its station's, its seller's, the province's."""
