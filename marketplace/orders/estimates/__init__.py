"""When goods would arrive in the province a visitor chose, and what sending them would cost: before anything is ordered."""
