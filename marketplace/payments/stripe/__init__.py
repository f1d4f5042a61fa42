"""Stripe: hosted Checkout for whoever pays, PaymentIntents and refunds for everything after."""
