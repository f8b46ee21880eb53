"""What people open in a browser: the HTML report, and the pages of `driftmon serve`. Values in, text out; nothing is read or sent."""
