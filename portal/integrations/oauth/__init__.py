"""Signing in by OAuth: Microsoft through msal, Google by plain RFC 6749. Tokens are kept by a TokenStore."""
