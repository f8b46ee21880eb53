"""Where rows become counts: one module for each kind of place that rows live in, all behind `driftmon.sources.base.Source`."""
