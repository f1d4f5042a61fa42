"""Pages of groups: of buyers, of who sells, of a station for its farmers."""
