"""Helpers of the front-door tests: certificates, real httpd processes and clients."""
