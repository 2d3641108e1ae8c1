"""How many cases a run takes: a few in the whole suite, a million by ``--hypothesis-profile long``."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "long",
    deadline=None,
    max_examples=50_000,
    database=None,
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
