"""The demo: driftmon checks the flights that left New York in 2013; everything it needs is started and stopped."""
