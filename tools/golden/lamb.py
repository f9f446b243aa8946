"""Golden runs of LAMB: optax, at every size, since a norm depends on all entries."""

import common

BASE = {"lr": 0.01, "beta1": 0.9, "beta2": 0.999, "eps": 1e-6, "weight_decay": 0.1}
OTHER = {"lr": 0.02, "beta1": 0.8, "beta2": 0.95, "eps": 1e-3, "eps_root": 1e-4, "weight_decay": 0.0}
SHAPES = [(1,), (7,), (8,), (9,), (64,), (65,), (1023,), (8, 9), (3, 4, 5)]


def optax_state(kept):
    return {"exp_avg": kept[0].mu, "exp_avg_sq": kept[0].nu}


with common.File("lamb") as file:
    import optax

    for shape in SHAPES:
        file.optax(
            "lamb-optax-" + "x".join(map(str, shape)),
            "optax.lamb(0.01, weight_decay=0.1)",
            optax.lamb(0.01, weight_decay=0.1),
            BASE,
            shape=shape,
            state=optax_state,
        )
    file.optax(
        "lamb-optax-other",
        "optax.lamb(0.02, b1=0.8, b2=0.95, eps=1e-3, eps_root=1e-4)",
        optax.lamb(0.02, 0.8, 0.95, 1e-3, 1e-4),
        OTHER,
        shape=(65,),
        state=optax_state,
    )
    file.optax(
        "lamb-optax-defaults",
        "optax.lamb(1e-3)",
        optax.lamb(1e-3),
        {},
        {"preset": "optax"},
        shape=(65,),
        state=optax_state,
    )
