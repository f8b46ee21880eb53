"""Settings of the core's tests."""

from hypothesis import settings

# A law that takes long on a busy machine is not a broken law. The laws are many; fewer examples of each keep the suite quick.
settings.register_profile("core", deadline=None, max_examples=60)
settings.load_profile("core")
