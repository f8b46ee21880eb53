"""Parts of a scrape, for assertions."""

KL = "driftmon_column_kl_divergence_nats"
OK = "driftmon_exporter_last_refresh_successful"


def of(samples, name, **labels):
    return {key: value for key, value in samples.items() if key[0] == name and labels.items() <= set(key[1:])}


def columns(samples):
    return {dict(key[1:])["column"] for key in of(samples, KL)}
