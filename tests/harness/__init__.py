# SPDX-License-Identifier: Apache-2.0
"""Helpers of the front-door tests: certificates, real httpd processes and clients."""
