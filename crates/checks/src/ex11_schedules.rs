//! Exercise 11: schedules.
//!
//! A case calls one of seven functions; its settings are the arguments of that function but for `t`, which is the input.
//! What is seen is the learning rate.

use std::f64::consts::PI;

use crate::case::{Case, Frame};
use crate::common::function;
use crate::exercise::{Check, Exam, Exercise, Mutant, Step, Variant, Verdict};
use crate::{golden, random::Random};

/// The exercise.
pub static EXERCISE: Exercise = Exercise {
    id: "ex11",
    slug: "ex11-schedules",
    checks: CHECKS,
    mutants: MUTANTS,
    variants: VARIANTS,
    probes,
};

/// What a learner writes; the first argument is t, the number of updates done.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// `linear(t, from, to, steps)`.
    pub linear: fn(u64, f64, f64, u64) -> f64,
    /// `step_decay(t, lr, factor, every)`.
    pub step_decay: fn(u64, f64, f64, u64) -> f64,
    /// `cosine(t, peak, floor, steps)`.
    pub cosine: fn(u64, f64, f64, u64) -> f64,
    /// `warmup(t, peak, warmup)`.
    pub warmup: fn(u64, f64, u64) -> f64,
    /// `warmup_cosine(t, peak, floor, warmup, steps)`.
    pub warmup_cosine: fn(u64, f64, f64, u64, u64) -> f64,
    /// `wsd(t, peak, floor, warmup, stable, cooldown)`.
    pub wsd: fn(u64, f64, f64, u64, u64, u64) -> f64,
    /// `inverse_sqrt(t, peak, warmup)`.
    pub inverse_sqrt: fn(u64, f64, u64) -> f64,
}

/// Puts a learner's code through the check of that name.
///
/// # Panics
/// If the check does not hold; the message is on standard output.
pub fn check(name: &str, code: Code) {
    crate::verdict(&EXERCISE, name, start(code));
}

/// A learner's code as a subject: what a check drives.
pub fn start(code: Code) -> impl Fn(&Case) -> Step + Send + 'static {
    move |case| run(case, code, |t| t)
}

/// Calls the function of the case; `shift` says which t it is given.
fn run(case: &Case, code: Code, shift: fn(u64) -> u64) -> Step {
    let case = case.clone();
    function(move |input| {
        let t = shift(input[0] as u64);
        let real = |name| case.setting(name);
        let whole = |name| case.setting(name) as u64;
        let lr = match case.call {
            LINEAR => (code.linear)(t, real("from"), real("to"), whole("steps")),
            STEP => (code.step_decay)(t, real("lr"), real("factor"), whole("every")),
            COSINE => (code.cosine)(t, real("peak"), real("floor"), whole("steps")),
            WARMUP => (code.warmup)(t, real("peak"), whole("warmup")),
            WARMUP_COSINE => {
                let (peak, floor) = (real("peak"), real("floor"));
                (code.warmup_cosine)(t, peak, floor, whole("warmup"), whole("steps"))
            }
            WSD => {
                let (peak, floor, warmup) = (real("peak"), real("floor"), whole("warmup"));
                (code.wsd)(t, peak, floor, warmup, whole("stable"), whole("cooldown"))
            }
            _ => (code.inverse_sqrt)(t, real("peak"), whole("warmup")),
        };
        vec![vec![lr]]
    })
}

const LINEAR: &str = "linear";
const STEP: &str = "step_decay";
const COSINE: &str = "cosine";
const WARMUP: &str = "warmup";
const WARMUP_COSINE: &str = "warmup_cosine";
const WSD: &str = "wsd";
const INVERSE_SQRT: &str = "inverse_sqrt";

// --- Checks ---------------------------------------------------------------------------------------------------------------------

static CHECKS: &[Check] = &[
    Check {
        name: "linear_reaches_its_end_after_so_many_updates_and_stays",
        asked: "linear goes from `from` at t = 0 to `to` at t = steps in equal steps, and stays there.",
        run: |exam| {
            let down = [("from", 1.0), ("to", 0.2), ("steps", 4.0)];
            values(exam, LINEAR, &down, &[1.0, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2])?;
            let up = [("from", 0.1), ("to", 0.4), ("steps", 3.0)];
            values(exam, LINEAR, &up, &[0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
        },
    },
    Check {
        name: "step_decay_waits_and_then_falls_at_once",
        asked: "step_decay is lr * factor^k, where k is the number of whole times that `every` fits into t.",
        run: |exam| {
            let settings = [("lr", 0.8), ("factor", 0.5), ("every", 3.0)];
            let lrs = [0.8, 0.8, 0.8, 0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.1];
            values(exam, STEP, &settings, &lrs)
        },
    },
    Check {
        name: "cosine_is_half_a_wave_down_to_the_floor",
        asked: "cosine is floor + (peak - floor) * (1 + cos(pi * t / steps)) / 2 up to t = steps, then floor.",
        run: |exam| {
            // At 0, 1/3, 1/2, 2/3 and 1 of the way the half wave is 1, 3/4, 1/2, 1/4 and 0.
            let settings = [("peak", 1.0), ("floor", 0.2), ("steps", 6.0)];
            let at = [
                (0, 1.0),
                (2, 0.8),
                (3, 0.6),
                (4, 0.4),
                (6, 0.2),
                (7, 0.2),
                (12, 0.2),
            ];
            points(
                exam,
                "a third of the way, half, two thirds",
                COSINE,
                &settings,
                &at,
            )
        },
    },
    Check {
        name: "warmup_starts_above_zero_and_ends_at_the_peak",
        asked: "warmup is peak * (t + 1) / warmup while t < warmup, then peak; with warmup = 0 it is peak at once.",
        run: |exam| {
            let settings = [("peak", 0.8), ("warmup", 4.0)];
            values(
                exam,
                WARMUP,
                &settings,
                &[0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.8],
            )?;
            let none = [("peak", 0.8), ("warmup", 0.0)];
            values(exam, WARMUP, &none, &[0.8, 0.8, 0.8])
        },
    },
    Check {
        name: "warmup_and_cosine_share_the_updates",
        asked: "warmup_cosine warms up for `warmup` updates; the cosine takes the rest and ends at t = steps.",
        run: |exam| {
            let settings = [
                ("peak", 1.0),
                ("floor", 0.2),
                ("warmup", 4.0),
                ("steps", 10.0),
            ];
            let at = [
                (0, 0.25),
                (1, 0.5),
                (2, 0.75),
                (3, 1.0),
                (4, 1.0),
                (6, 0.8),
                (7, 0.6),
                (8, 0.4),
                (10, 0.2),
                (11, 0.2),
                (30, 0.2),
            ];
            points(exam, "warmup and cosine", WARMUP_COSINE, &settings, &at)
        },
    },
    Check {
        name: "wsd_warms_up_stays_and_cools_down",
        asked: "wsd: warmup, `stable` updates at the peak, then linear to the floor, reached after `cooldown` more.",
        run: |exam| {
            let settings = [
                ("peak", 1.0),
                ("floor", 0.2),
                ("warmup", 2.0),
                ("stable", 3.0),
                ("cooldown", 4.0),
            ];
            let lrs = [0.5, 1.0, 1.0, 1.0, 1.0, 1.0, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2];
            values(exam, WSD, &settings, &lrs)
        },
    },
    Check {
        name: "inverse_sqrt_leaves_from_the_peak",
        asked: "inverse_sqrt warms up, then is peak * sqrt(warmup / (t + 1)): half the peak at t + 1 = 4 * warmup.",
        run: |exam| {
            let settings = [("peak", 0.6), ("warmup", 4.0)];
            let at = [
                (0, 0.15),
                (1, 0.3),
                (2, 0.45),
                (3, 0.6),
                (8, 0.4),
                (15, 0.3),
                (35, 0.2),
                (399, 0.06),
            ];
            points(
                exam,
                "warmup, and square numbers after it",
                INVERSE_SQRT,
                &settings,
                &at,
            )
        },
    },
    Check {
        name: "schedules_match_pytorch_and_optax",
        asked: "The rates are those of torch.optim.lr_scheduler and of optax, at each of 20 updates.",
        run: |exam| {
            recorded(exam, "schedules-torch", &[LINEAR, STEP, COSINE])?;
            let all = [LINEAR, STEP, COSINE, WARMUP, WARMUP_COSINE, WSD];
            recorded(exam, "schedules-optax", &all)
        },
    },
    Check {
        name: "any_settings_and_any_update",
        asked: "Any rates and lengths, from the first update to long after the end; lengths may be 1, warmup 0.",
        run: |exam| {
            for case in random_cases(exam.seed) {
                let expected = exam_answer(&case);
                exam.expect(&case, &expected)?;
            }
            Ok(())
        },
    },
];

fn case(about: &str, call: &'static str, settings: &[(&'static str, f64)], ts: &[u64]) -> Case {
    let inputs = ts.iter().map(|&t| vec![t as f64]).collect();
    let about = format!("{call}, {about}");
    Case::given(about, call, &["lr"], settings.to_vec(), Vec::new(), inputs)
}

/// The learning rates at t = 0, 1, 2, and so on.
fn values(
    exam: &Exam<'_>,
    call: &'static str,
    settings: &[(&'static str, f64)],
    lrs: &[f64],
) -> Verdict {
    let at: Vec<(u64, f64)> = (0..).zip(lrs.iter().copied()).collect();
    points(exam, "t = 0, 1, 2, ...", call, settings, &at)
}

/// The learning rates at some t.
fn points(
    exam: &Exam<'_>,
    about: &str,
    call: &'static str,
    settings: &[(&'static str, f64)],
    at: &[(u64, f64)],
) -> Verdict {
    let ts: Vec<u64> = at.iter().map(|(t, _)| *t).collect();
    let expected: Vec<Frame> = at.iter().map(|(_, lr)| vec![vec![*lr]]).collect();
    exam.expect(&case(about, call, settings, &ts), &expected)
}

/// The names of the arguments of a function, but for t.
fn arguments(call: &str) -> &'static [&'static str] {
    match call {
        LINEAR => &["from", "to", "steps"],
        STEP => &["lr", "factor", "every"],
        COSINE => &["peak", "floor", "steps"],
        WARMUP_COSINE => &["peak", "floor", "warmup", "steps"],
        WSD => &["peak", "floor", "warmup", "stable", "cooldown"],
        _ => &["peak", "warmup"],
    }
}

fn recorded(exam: &Exam<'_>, name: &str, calls: &[&'static str]) -> Verdict {
    let golden = golden::get(name);
    for &call in calls {
        let names = arguments(call).iter();
        let settings: Vec<_> = names.map(|&name| (name, golden.setting(name))).collect();
        let at: Vec<(u64, f64)> = golden
            .steps
            .iter()
            .map(|step| (step.grad[0] as u64, step.get(call)[0]))
            .collect();
        points(exam, &format!("recorded in {name}"), call, &settings, &at)?;
    }
    Ok(())
}

/// Two cases of each function: usual lengths, and the shortest ones.
fn random_cases(seed: u64) -> Vec<Case> {
    let mut random = Random::new(seed);
    let calls = [
        LINEAR,
        STEP,
        COSINE,
        WARMUP,
        WARMUP_COSINE,
        WSD,
        INVERSE_SQRT,
    ];
    let mut cases = Vec::new();
    for (call, short) in calls
        .into_iter()
        .flat_map(|call| [(call, false), (call, true)])
    {
        let high = random.magnitude(-4.0, 0.0).abs();
        let low = high * random.between(0.05, 0.6);
        let mut length = |least: u64, most: u64| {
            (least
                + if short {
                    0
                } else {
                    random.bits() % (most - least)
                }) as f64
        };
        let (steps, warmup) = (length(12, 90), length(0, 11));
        let (stable, cooldown, every) = (length(0, 20), length(1, 20), length(1, 9));
        let value = |name: &'static str| match name {
            "from" | "lr" | "peak" => high,
            "to" | "floor" => low,
            "factor" => low / high,
            "every" => every,
            "stable" => stable,
            // Of 3 updates or more, for one or two do not tell a line from a wave.
            "cooldown" if short => cooldown,
            "cooldown" => cooldown + 2.0,
            // The root of 0 warm-up updates would be 0.
            "warmup" if call == INVERSE_SQRT => warmup + 1.0,
            "warmup" => warmup,
            _ if short => 1.0,
            _ => steps,
        };
        let names = arguments(call).iter();
        let settings: Vec<_> = names.map(|&name| (name, value(name))).collect();
        let ts: Vec<u64> = (0..100).chain([1_000, 1_000_000]).collect();
        let about = format!("MOMENTS_SEED={seed}");
        cases.push(case(&about, call, &settings, &ts));
    }
    cases
}

/// The formulas of the task, each over the share of the way in place of one function calling another.
fn exam_answer(case: &Case) -> Vec<Frame> {
    let of = |name: &str| {
        let found = case.settings.iter().find(|(key, _)| *key == name);
        found.map_or(0.0, |(_, value)| *value)
    };
    let (peak, floor, warmup) = (of("peak"), of("floor"), of("warmup"));
    let wave = |share: f64| floor + (peak - floor) * (PI * share.min(1.0) / 2.0).cos().powi(2);
    let lr = |t: f64| match case.call {
        LINEAR => {
            let share = (t / of("steps")).min(1.0);
            of("from") * (1.0 - share) + of("to") * share
        }
        STEP => of("lr") * of("factor").powf((t / of("every")).floor()),
        COSINE => wave(t / of("steps")),
        _ if t < warmup => peak * (t + 1.0) / warmup,
        WARMUP => peak,
        WARMUP_COSINE => wave((t - warmup) / (of("steps") - warmup)),
        WSD => {
            let share = (t - warmup - of("stable")) / of("cooldown");
            peak + (floor - peak) * share.clamp(0.0, 1.0)
        }
        _ => peak * (warmup / (t + 1.0)).sqrt(),
    };
    let inputs = case.inputs().iter();
    inputs.map(|input| vec![vec![lr(input[0])]]).collect()
}

fn probes() -> Vec<Case> {
    let ts: Vec<u64> = (0..40).collect();
    let (peak, floor) = (("peak", 0.7), ("floor", 0.1));
    let (warmup, steps) = (("warmup", 5.0), ("steps", 17.0));
    vec![
        case("probe", LINEAR, &[("from", 0.7), ("to", 0.1), steps], &ts),
        case("probe", LINEAR, &[("from", 0.1), ("to", 0.7), steps], &ts),
        case(
            "probe",
            STEP,
            &[("lr", 0.7), ("factor", 0.6), ("every", 5.0)],
            &ts,
        ),
        case("probe", COSINE, &[peak, floor, steps], &ts),
        case("probe", WARMUP, &[peak, warmup], &ts),
        case("probe", WARMUP_COSINE, &[peak, floor, warmup, steps], &ts),
        case(
            "probe",
            WSD,
            &[peak, floor, warmup, ("stable", 7.0), ("cooldown", 9.0)],
            &ts,
        ),
        case("probe", INVERSE_SQRT, &[peak, warmup], &ts),
    ]
}

// --- Mutants --------------------------------------------------------------------------------------------------------------------

/// Right code, of which each mutant replaces a part.
const RIGHT: Code = Code {
    linear,
    step_decay: |t, lr, factor, every| lr * factor.powf((t / every) as f64),
    cosine,
    warmup,
    warmup_cosine: |t, peak, floor, warm, steps| {
        if t < warm {
            warmup(t, peak, warm)
        } else {
            cosine(t - warm, peak, floor, steps - warm)
        }
    },
    wsd: |t, peak, floor, warm, stable, cooldown| {
        if t < warm + stable {
            warmup(t, peak, warm)
        } else {
            linear(t - warm - stable, peak, floor, cooldown)
        }
    },
    inverse_sqrt: |t, peak, warm| {
        if t < warm {
            warmup(t, peak, warm)
        } else {
            peak * (warm as f64 / (t + 1) as f64).sqrt()
        }
    },
};

fn share(t: u64, steps: u64) -> f64 {
    t.min(steps) as f64 / steps as f64
}

fn linear(t: u64, from: f64, to: f64, steps: u64) -> f64 {
    from + (to - from) * share(t, steps)
}

fn wave(share: f64) -> f64 {
    0.5 * (1.0 + (PI * share).cos())
}

fn cosine(t: u64, peak: f64, floor: f64, steps: u64) -> f64 {
    floor + (peak - floor) * wave(share(t, steps))
}

fn warmup(t: u64, peak: f64, warmup: u64) -> f64 {
    if t < warmup {
        peak * (t + 1) as f64 / warmup as f64
    } else {
        peak
    }
}

/// All four schedules that warm up, with another ramp: it takes t and the length, and gives the share of the peak.
macro_rules! ramp {
    ($case:expr, $ramp:expr) => {{
        const RAMP: fn(u64, u64) -> f64 = $ramp;
        let code = Code {
            warmup: |t, peak, warm| {
                if t < warm { peak * RAMP(t, warm) } else { peak }
            },
            warmup_cosine: |t, peak, floor, warm, steps| {
                if t < warm {
                    peak * RAMP(t, warm)
                } else {
                    (RIGHT.warmup_cosine)(t, peak, floor, warm, steps)
                }
            },
            wsd: |t, peak, floor, warm, stable, cooldown| {
                if t < warm {
                    peak * RAMP(t, warm)
                } else {
                    (RIGHT.wsd)(t, peak, floor, warm, stable, cooldown)
                }
            },
            inverse_sqrt: |t, peak, warm| {
                if t < warm {
                    peak * RAMP(t, warm)
                } else {
                    (RIGHT.inverse_sqrt)(t, peak, warm)
                }
            },
            ..RIGHT
        };
        run($case, code, |t| t)
    }};
}

/// Right code but for one function.
macro_rules! wrong {
    ($case:expr, $name:ident: $code:expr) => {
        run(
            $case,
            Code {
                $name: $code,
                ..RIGHT
            },
            |t| t,
        )
    };
}

/// A warm-up, and what comes after it.
macro_rules! after_warmup {
    ($case:expr, |$t:ident, $peak:ident, $floor:ident, $warm:ident, $steps:ident| $lr:expr) => {
        wrong!($case, warmup_cosine: |$t, $peak, $floor, $warm, $steps| {
            if $t < $warm {
                warmup($t, $peak, $warm)
            } else {
                $lr
            }
        })
    };
}

const COUNT: &str = "exercises/ex11-schedules.html#which-update-is-t";
const ENDS: &str = "exercises/ex11-schedules.html#between-two-rates";
const STEPS: &str = "exercises/ex11-schedules.html#steps";
const WAVE: &str = "exercises/ex11-schedules.html#half-a-wave";
const RAMPS: &str = "exercises/ex11-schedules.html#warmup";
const JOINED: &str = "exercises/ex11-schedules.html#one-after-the-other";
const ROOT: &str = "exercises/ex11-schedules.html#the-inverse-root";

static MUTANTS: &[Mutant] = &[
    Mutant {
        name: "one-ahead",
        mistake: "the schedules are off by one: each update gets the rate of the next. t is 0 at the first update.",
        read: COUNT,
        start: |case| run(case, RIGHT, |t| t + 1),
    },
    Mutant {
        name: "one-behind",
        mistake: "the schedules are off by one: each update gets the rate of the one before. t is 1 at the second update.",
        read: COUNT,
        start: |case| run(case, RIGHT, |t| t.saturating_sub(1)),
    },
    Mutant {
        name: "linear-past-its-end",
        mistake: "the line goes on after t = steps, below `to` and below 0. Limit t to steps.",
        read: ENDS,
        start: |case| {
            wrong!(case, linear: |t, from, to, steps| {
                from + (to - from) * t as f64 / steps as f64
            })
        },
    },
    Mutant {
        name: "linear-zero-after-the-end",
        mistake: "the rate is 0 after t = steps. It stays at `to`.",
        read: ENDS,
        start: |case| {
            wrong!(case, linear: |t, from, to, steps| {
                if t > steps { 0.0 } else { linear(t, from, to, steps) }
            })
        },
    },
    Mutant {
        name: "linear-one-update-short",
        mistake: "the line is divided into steps - 1 parts, and ends one update early. It reaches `to` at t = steps.",
        read: ENDS,
        start: |case| wrong!(case, linear: |t, from, to, steps| linear(t, from, to, (steps - 1).max(1))),
    },
    Mutant {
        name: "linear-divides-whole-numbers",
        mistake: "t / steps is divided as whole numbers, so it is 0 until the end. Make both f64 first.",
        read: ENDS,
        start: |case| {
            wrong!(case, linear: |t, from, to, steps| {
                from + (to - from) * (t.min(steps) / steps) as f64
            })
        },
    },
    Mutant {
        name: "linear-divides-whole-numbers-without-end",
        mistake: "t / steps is divided as whole numbers, so it is 0 up to the end. Make both f64 first, and limit t to steps.",
        read: ENDS,
        start: |case| wrong!(case, linear: |t, from, to, steps| from + (to - from) * (t / steps) as f64),
    },
    Mutant {
        name: "linear-to-zero",
        mistake: "the line ends at 0, and `to` is not used.",
        read: ENDS,
        start: |case| wrong!(case, linear: |t, from, _, steps| linear(t, from, 0.0, steps)),
    },
    Mutant {
        name: "linear-end-added",
        mistake: "`to` is added to a line from `from` to 0, so it begins too high. The distance to go is to - from.",
        read: ENDS,
        start: |case| wrong!(case, linear: |t, from, to, steps| to + linear(t, from, 0.0, steps)),
    },
    Mutant {
        name: "linear-cut-off",
        mistake: "the line goes to 0 and is cut off at `to`. It should reach `to` at t = steps, not before.",
        read: ENDS,
        start: |case| wrong!(case, linear: |t, from, to, steps| linear(t, from, 0.0, steps).max(to)),
    },
    Mutant {
        name: "step-decay-without-steps",
        mistake: "t / every is not brought down to a whole number, so the rate falls at every update.",
        read: STEPS,
        start: |case| wrong!(case, step_decay: |t, lr, factor, every| lr * factor.powf(t as f64 / every as f64)),
    },
    Mutant {
        name: "step-decay-rounded",
        mistake: "t / every is rounded to the nearest whole number, so the rate falls half an interval early. Round down.",
        read: STEPS,
        start: |case| {
            wrong!(case, step_decay: |t, lr, factor, every| {
                lr * factor.powf((t as f64 / every as f64).round())
            })
        },
    },
    Mutant {
        name: "step-decay-one-late",
        mistake: "the rate falls one update late. The first lower rate is that of t = every.",
        read: STEPS,
        start: |case| {
            wrong!(case, step_decay: |t, lr, factor, every| {
                lr * factor.powf((t.saturating_sub(1) / every) as f64)
            })
        },
    },
    Mutant {
        name: "step-decay-one-early",
        mistake: "the rate falls one update early. The first lower rate is that of t = every, not every - 1.",
        read: STEPS,
        start: |case| wrong!(case, step_decay: |t, lr, factor, every| lr * factor.powf(((t + 1) / every) as f64)),
    },
    Mutant {
        name: "step-decay-only-once",
        mistake: "the rate falls only once. It is multiplied by `factor` again after every `every` updates.",
        read: STEPS,
        start: |case| wrong!(case, step_decay: |t, lr, factor, every| if t < every { lr } else { lr * factor }),
    },
    Mutant {
        name: "step-decay-multiplied",
        mistake: "`factor` is multiplied by the number of steps. It is raised to that power.",
        read: STEPS,
        start: |case| wrong!(case, step_decay: |t, lr, factor, every| lr * factor * (t / every) as f64),
    },
    Mutant {
        name: "cosine-without-half",
        mistake: "1 + cos runs from 2 to 0, so the rate begins near twice the peak. Halve it.",
        read: WAVE,
        start: |case| {
            wrong!(case, cosine: |t, peak, floor, steps| {
                floor + (peak - floor) * 2.0 * wave(share(t, steps))
            })
        },
    },
    Mutant {
        name: "cosine-in-degrees",
        mistake: "the angle is in degrees. `cos` takes radians: the half wave ends at pi, not at 180.",
        read: WAVE,
        start: |case| {
            wrong!(case, cosine: |t, peak, floor, steps| {
                floor + (peak - floor) * wave(share(t, steps) * 180.0 / PI)
            })
        },
    },
    Mutant {
        name: "cosine-whole-wave",
        mistake: "the wave is whole: the rate is at the floor half-way and back at the peak at the end. Use pi, not 2 pi.",
        read: WAVE,
        start: |case| {
            wrong!(case, cosine: |t, peak, floor, steps| {
                floor + (peak - floor) * wave(2.0 * share(t, steps))
            })
        },
    },
    Mutant {
        name: "cosine-quarter-wave",
        mistake: "the angle ends at pi / 2, so the rate ends half-way between peak and floor. It ends at pi.",
        read: WAVE,
        start: |case| {
            wrong!(case, cosine: |t, peak, floor, steps| {
                floor + (peak - floor) * wave(0.5 * share(t, steps))
            })
        },
    },
    Mutant {
        name: "cosine-upside-down",
        mistake: "the wave stands upside down (1 - cos), and the rate rises. It is 1 + cos.",
        read: WAVE,
        start: |case| {
            wrong!(case, cosine: |t, peak, floor, steps| {
                floor + (peak - floor) * (1.0 - wave(share(t, steps)))
            })
        },
    },
    Mutant {
        name: "cosine-rises-again",
        mistake: "t is not limited to steps, so the rate rises again after the end, as with PyTorch's CosineAnnealingLR.",
        read: WAVE,
        start: |case| {
            wrong!(case, cosine: |t, peak, floor, steps| {
                floor + (peak - floor) * wave(t as f64 / steps as f64)
            })
        },
    },
    Mutant {
        name: "cosine-no-floor",
        mistake: "the rate goes down to 0, and `floor` is not used.",
        read: WAVE,
        start: |case| wrong!(case, cosine: |t, peak, _, steps| cosine(t, peak, 0.0, steps)),
    },
    Mutant {
        name: "cosine-floor-added",
        mistake: "`floor` is added to a whole wave, so the rate begins at peak + floor. The wave spans peak - floor.",
        read: WAVE,
        start: |case| wrong!(case, cosine: |t, peak, floor, steps| floor + cosine(t, peak, 0.0, steps)),
    },
    Mutant {
        name: "cosine-cut-off",
        mistake: "the wave goes to 0 and is cut off at the floor. It should arrive at the floor at t = steps.",
        read: WAVE,
        start: |case| wrong!(case, cosine: |t, peak, floor, steps| cosine(t, peak, 0.0, steps).max(floor)),
    },
    Mutant {
        name: "warmup-from-zero",
        mistake: "the warmup is t / warmup, whose first update has the rate 0 and is lost. It is (t + 1) / warmup.",
        read: RAMPS,
        start: |case| ramp!(case, |t, warm| t as f64 / warm as f64),
    },
    Mutant {
        name: "warmup-below-the-peak",
        mistake: "the warmup is (t + 1) / (warmup + 1) and reaches the peak one update late. Divide by warmup.",
        read: RAMPS,
        start: |case| ramp!(case, |t, warm| (t + 1) as f64 / (warm + 1) as f64),
    },
    Mutant {
        name: "warmup-divides-whole-numbers",
        mistake: "(t + 1) / warmup is divided as whole numbers, so it is 0 until the end. Make both f64 first.",
        read: RAMPS,
        start: |case| ramp!(case, |t, warm| ((t + 1) / warm) as f64),
    },
    Mutant {
        name: "warmup-counted-twice",
        mistake: "the warmup is counted twice: the rate rises with the square of (t + 1) / warmup. Multiply by it once.",
        read: RAMPS,
        start: |case| ramp!(case, |t, warm| ((t + 1) as f64 / warm as f64).powi(2)),
    },
    Mutant {
        name: "warmup-past-its-end",
        mistake: "the warmup goes on after the peak. From t = warmup the rate is the peak.",
        read: RAMPS,
        start: |case| wrong!(case, warmup: |t, peak, warm| peak * (t + 1) as f64 / warm as f64),
    },
    Mutant {
        name: "warmup-added-to-the-length",
        mistake: "the cosine takes `steps` updates after the warmup, so it ends late. It has steps - warmup of them.",
        read: JOINED,
        start: |case| {
            after_warmup!(case, |t, peak, floor, warm, steps| cosine(
                t - warm,
                peak,
                floor,
                steps
            ))
        },
    },
    Mutant {
        name: "warmup-taken-off-twice",
        mistake: "the warmup is taken off twice: the cosine ends `warmup` updates early. It has steps - warmup of them.",
        read: JOINED,
        start: |case| {
            after_warmup!(case, |t, peak, floor, warm, steps| {
                cosine(t - warm, peak, floor, steps.saturating_sub(2 * warm).max(1))
            })
        },
    },
    Mutant {
        name: "cosine-from-the-first-update",
        mistake: "the cosine counts from t = 0, so the rate jumps down at the end of the warmup. Give it t - warmup.",
        read: JOINED,
        start: |case| {
            after_warmup!(case, |t, peak, floor, _warm, steps| cosine(
                t, peak, floor, steps
            ))
        },
    },
    Mutant {
        name: "cosine-not-shifted",
        mistake: "the cosine has the right length, and yet counts from t = 0: it ends early. Give it t - warmup.",
        read: JOINED,
        start: |case| {
            after_warmup!(case, |t, peak, floor, warm, steps| cosine(
                t,
                peak,
                floor,
                steps - warm
            ))
        },
    },
    Mutant {
        name: "warmup-times-cosine",
        mistake: "warmup and cosine are multiplied, so the peak is never reached. First the one, then the other.",
        read: JOINED,
        start: |case| {
            wrong!(case, warmup_cosine: |t, peak, floor, warm, steps| {
                warmup(t, 1.0, warm) * cosine(t, peak, floor, steps)
            })
        },
    },
    Mutant {
        name: "warmup-stays",
        mistake: "after the warmup the rate stays at the peak: the cosine is never reached.",
        read: JOINED,
        start: |case| wrong!(case, warmup_cosine: |t, peak, _, warm, _| warmup(t, peak, warm)),
    },
    Mutant {
        name: "stable-counts-the-warmup",
        mistake: "the cool-down begins at t = stable. The warmup comes first: it begins at t = warmup + stable.",
        read: JOINED,
        start: |case| {
            wrong!(case, wsd: |t, peak, floor, warm, stable, cooldown| {
                if t < warm {
                    warmup(t, peak, warm)
                } else {
                    linear(t.saturating_sub(stable), peak, floor, cooldown)
                }
            })
        },
    },
    Mutant {
        name: "cooldown-counted-from-the-warmup",
        mistake: "the cool-down is counted from the end of the warmup, and so begins with a jump. Give it t - warmup - stable.",
        read: JOINED,
        start: |case| {
            wrong!(case, wsd: |t, peak, floor, warm, stable, cooldown| {
                if t < warm + stable {
                    warmup(t, peak, warm)
                } else {
                    linear(t - warm, peak, floor, cooldown)
                }
            })
        },
    },
    Mutant {
        name: "cooldown-counted-from-zero",
        mistake: "the cool-down is counted from t = 0, and so begins with a jump. Give it t - warmup - stable.",
        read: JOINED,
        start: |case| {
            wrong!(case, wsd: |t, peak, floor, warm, stable, cooldown| {
                if t < warm + stable {
                    warmup(t, peak, warm)
                } else {
                    linear(t, peak, floor, cooldown)
                }
            })
        },
    },
    Mutant {
        name: "cooldown-at-once",
        mistake: "the cool-down follows the warmup at once. There are `stable` updates at the peak before it.",
        read: JOINED,
        start: |case| wrong!(case, wsd: |t, peak, floor, warm, _, cooldown| (RIGHT.wsd)(t, peak, floor, warm, 0, cooldown)),
    },
    Mutant {
        name: "cooldown-to-zero",
        mistake: "the cool-down ends at 0. It ends at the floor.",
        read: JOINED,
        start: |case| wrong!(case, wsd: |t, peak, _, warm, stable, cooldown| (RIGHT.wsd)(t, peak, 0.0, warm, stable, cooldown)),
    },
    Mutant {
        name: "cooldown-past-its-end",
        mistake: "the cool-down goes on below the floor. Limit it to `cooldown` updates.",
        read: JOINED,
        start: |case| {
            wrong!(case, wsd: |t, peak, floor, warm, stable, cooldown| {
                if t < warm + stable {
                    warmup(t, peak, warm)
                } else {
                    peak + (floor - peak) * (t - warm - stable) as f64 / cooldown as f64
                }
            })
        },
    },
    Mutant {
        name: "cooldown-as-cosine",
        mistake: "the cool-down is half a wave of a cosine. Here it is a straight line.",
        read: JOINED,
        start: |case| {
            wrong!(case, wsd: |t, peak, floor, warm, stable, cooldown| {
                if t < warm + stable {
                    warmup(t, peak, warm)
                } else {
                    cosine(t - warm - stable, peak, floor, cooldown)
                }
            })
        },
    },
    Mutant {
        name: "inverse-root-without-warmup",
        mistake: "the root is used from the first update, where it is above the peak. While t < warmup the warmup counts.",
        read: ROOT,
        start: |case| wrong!(case, inverse_sqrt: |t, peak, warm| peak * (warm as f64 / (t + 1) as f64).sqrt()),
    },
    Mutant {
        name: "inverse-root-of-t-alone",
        mistake: "after the warmup the rate is peak / sqrt(t + 1), a jump down. The root is that of warmup / (t + 1).",
        read: ROOT,
        start: |case| {
            wrong!(case, inverse_sqrt: |t, peak, warm| {
                if t < warm { warmup(t, peak, warm) } else { peak / ((t + 1) as f64).sqrt() }
            })
        },
    },
    Mutant {
        name: "inverse-root-from-t",
        mistake: "the root is that of warmup / t: off by one, the peak comes twice. It is warmup / (t + 1).",
        read: ROOT,
        start: |case| {
            wrong!(case, inverse_sqrt: |t, peak, warm| {
                if t < warm { warmup(t, peak, warm) } else { peak * (warm as f64 / t as f64).sqrt() }
            })
        },
    },
    Mutant {
        name: "inverse-root-after-the-warmup",
        mistake: "the root counts from the end of the warmup, and falls too fast. It counts all updates: t + 1.",
        read: ROOT,
        start: |case| {
            wrong!(case, inverse_sqrt: |t, peak, warm| {
                if t < warm { warmup(t, peak, warm) } else { peak / ((t - warm + 1) as f64).sqrt() }
            })
        },
    },
    Mutant {
        name: "inverse-without-root",
        mistake: "the root is missing: the rate is peak * warmup / (t + 1) and falls too fast.",
        read: ROOT,
        start: |case| {
            wrong!(case, inverse_sqrt: |t, peak, warm| {
                if t < warm { warmup(t, peak, warm) } else { peak * warm as f64 / (t + 1) as f64 }
            })
        },
    },
];

// --- Variants -------------------------------------------------------------------------------------------------------------------

static VARIANTS: &[Variant] = &[
    Variant {
        name: "each-from-the-others",
        start: |case| run(case, RIGHT, |t| t),
    },
    Variant {
        name: "the-smaller-of-two-and-squares-of-the-half-angle",
        start: |case| {
            let code = Code {
                linear: |t, from, to, steps| {
                    let done = (t as f64 / steps as f64).min(1.0);
                    from * (1.0 - done) + to * done
                },
                step_decay: |t, lr, factor, every| lr * ((t / every) as f64 * factor.ln()).exp(),
                cosine: |t, peak, floor, steps| {
                    let cos = (PI / 2.0 * share(t, steps)).cos();
                    floor + (peak - floor) * cos * cos
                },
                warmup: |t, peak, warm| peak * ((t + 1) as f64 / warm as f64).min(1.0),
                inverse_sqrt: |t, peak, warm| {
                    let (number, warm) = ((t + 1) as f64, warm as f64);
                    peak * warm.sqrt() * number.powf(-0.5).min(number * warm.powf(-1.5))
                },
                ..RIGHT
            };
            run(case, code, |t| t)
        },
    },
    Variant {
        name: "by-what-remains",
        start: |case| {
            let code = Code {
                linear: |t, from, to, steps| {
                    let left = steps.saturating_sub(t) as f64 / steps as f64;
                    to - (to - from) * left
                },
                cosine: |t, peak, floor, steps| {
                    let left = steps.saturating_sub(t) as f64 / steps as f64;
                    0.5 * (peak + floor) - 0.5 * (peak - floor) * (PI * left).cos()
                },
                wsd: |t, peak, floor, warm, stable, cooldown| {
                    if t < warm {
                        return peak / warm as f64 * (t + 1) as f64;
                    }
                    let left = (warm + stable + cooldown).saturating_sub(t) as f64;
                    floor + (peak - floor) * (left / cooldown as f64).min(1.0)
                },
                ..RIGHT
            };
            run(case, code, |t| t)
        },
    },
    Variant {
        name: "all-in-one-expression",
        start: |case| {
            let code = Code {
                step_decay: |t, lr, factor, every| {
                    // Beyond a thousand steps nothing of the rate is left.
                    (0..(t / every).min(100_000)).fold(lr, |lr, _| lr * factor)
                },
                warmup_cosine: |t, peak, floor, warm, steps| {
                    let t = t.min(steps) as f64;
                    let (warm, steps) = (warm as f64, steps as f64);
                    if t < warm {
                        return (t + 1.0) * (peak / warm);
                    }
                    let angle = PI * (t - warm) / (steps - warm);
                    0.5 * ((peak + floor) + (peak - floor) * angle.cos())
                },
                inverse_sqrt: |t, peak, warm| {
                    let number = (t + 1) as f64;
                    let top = number.max(warm as f64);
                    peak * (warm as f64 / top).sqrt() * (number / warm as f64).min(1.0)
                },
                ..RIGHT
            };
            run(case, code, |t| t)
        },
    },
];
