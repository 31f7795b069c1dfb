"""MLflow's pages on this machine, with access control.

Read `session` (start and stop), `routes` (open routes), `guard` (access control), `server` (the server program, with
`page.html`, which hides disabled parts) and `guide` (the printed links) in this order.
"""
