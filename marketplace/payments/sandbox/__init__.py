"""The sandbox cashier: a gateway of its own with test money, storage of its own and webhooks over HTTP.

It knows neither the ledger nor orders; its tables are never joined with ours."""
