"""Direct notifications: a check tells people itself what changed, through Apprise, where nobody runs Prometheus."""
