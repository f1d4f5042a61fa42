"""What sending costs: rate tables with a first day, uploaded by the province."""
