"""What buyers are told of parcels that wait for them at a station."""
