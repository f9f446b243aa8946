"""Golden runs of LARS: optax, timm, and a transcription of the paper.

There is no run in float32: timm takes the norms in float32, our rule in float64, and the local rate carries the rounding of two norms
into every entry, 4 units in the last place in a step.
"""

import common
import numpy as np

SHAPES = [(1,), (7,), (8,), (9,), (64,), (65,), (1023,), (8, 9)]
BASE = {"lr": 0.5, "momentum": 0.9, "weight_decay": 0.01, "trust_coefficient": 0.02}


def paper(lr, momentum, weight_decay, trust_coefficient):
    """Algorithm 1 of You, Gitman & Ginsburg (2017)."""

    def step(t, w, g, state):
        size, slope = np.linalg.norm(w), np.linalg.norm(g)
        local = trust_coefficient * size / (slope + weight_decay * size)
        v = state["v"] = momentum * state.get("v", 0.0) + lr * local * (g + weight_decay * w)
        return w - v

    return step


with common.File("lars") as file:
    import optax

    for shape in SHAPES:
        name = "x".join(map(str, shape))
        file.optax(f"lars-optax-{name}", "optax.lars(0.5, weight_decay=0.01, trust_coefficient=0.02)",
                   optax.lars(0.5, weight_decay=0.01, trust_coefficient=0.02), BASE, shape=shape)
        file.paper(f"lars-paper-{name}", "a transcription of You, Gitman & Ginsburg (2017), Algorithm 1", paper(**BASE),
                   BASE, {"norms": "sum"}, shape=shape)
    file.optax("lars-optax-defaults", "optax.lars(0.1)", optax.lars(0.1),
               {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.0, "trust_coefficient": 0.001}, shape=(65,))
    file.optax("lars-optax-nesterov", "optax.lars(0.5, weight_decay=0.01, trust_coefficient=0.02, eps=0.1, nesterov=True)",
               optax.lars(0.5, weight_decay=0.01, trust_coefficient=0.02, eps=0.1, nesterov=True), {**BASE, "eps": 0.1},
               {"nesterov": "true"}, shape=(65,))

    # What timm calls its coefficient, and where its form is another.
    Lars = common.timm_module("lars").Lars
    ours = {"norms": "sum", "lr_at": "outside"}
    eps = {"eps": 0.1}

    def timm(name, settings, options, shape, falling=False):
        theirs = {("trust_coeff" if key == "trust_coefficient" else key): value for key, value in settings.items()}
        build = lambda params: Lars(params, foreach=False, **theirs, **options)
        shown = ", ".join(f"{key}={value}" for key, value in {**theirs, **options}.items())
        # Without weight decay, timm adapts where it is told to.
        adapts = settings.get("weight_decay", 0) > 0 or options.get("always_adapt", False)
        named = {**ours, **{key: str(value).lower() for key, value in options.items()}, "always_adapt": str(adapts).lower()}
        if falling:
            named["schedule"] = "falling"
        file.timm(f"lars-timm-{name}", f"timm.optim.Lars({shown})" + (" with a falling rate" if falling else ""),
                  (lambda params: common.Falling(build(params))) if falling else build, settings, named, shape=shape,
                  state={"momentum_buffer": "momentum_buffer"} if settings["momentum"] else None)

    timm("plain", {**BASE, **eps, "momentum": 0.0}, {}, (65,))
    timm("momentum", {**BASE, **eps}, {}, (1023,))
    timm("matrix", {**BASE, **eps}, {}, (8, 9))
    timm("schedule", {**BASE, **eps}, {}, (65,), falling=True)
    timm("dampening", {**BASE, **eps, "dampening": 0.3}, {}, (65,))
    timm("nesterov", {**BASE, **eps}, {"nesterov": True}, (65,))
    timm("clip", {**BASE, **eps}, {"trust_clip": True}, (65,))
    # Gradients of the first entry alone are so small that the local rate is clipped.
    timm("clip-1", {**BASE, "eps": 1e-8}, {"trust_clip": True}, (1,))
    timm("sgd", {**BASE, **eps, "lr": 1e-8, "weight_decay": 0.0}, {}, (65,))
    timm("always-adapt", {**BASE, **eps, "weight_decay": 0.0}, {"always_adapt": True}, (65,))
