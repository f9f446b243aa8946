//! What your schedules must satisfy. There is nothing to edit here: your code is in `src/lib.rs`.

use moments_checks::ex11_schedules::{Code, check};

const YOURS: Code = Code {
    linear: ex11_schedules::linear,
    step_decay: ex11_schedules::step_decay,
    cosine: ex11_schedules::cosine,
    warmup: ex11_schedules::warmup,
    warmup_cosine: ex11_schedules::warmup_cosine,
    wsd: ex11_schedules::wsd,
    inverse_sqrt: ex11_schedules::inverse_sqrt,
};

#[test]
fn linear_reaches_its_end_after_so_many_updates_and_stays() {
    check(
        "linear_reaches_its_end_after_so_many_updates_and_stays",
        YOURS,
    );
}

#[test]
fn step_decay_waits_and_then_falls_at_once() {
    check("step_decay_waits_and_then_falls_at_once", YOURS);
}

#[test]
fn cosine_is_half_a_wave_down_to_the_floor() {
    check("cosine_is_half_a_wave_down_to_the_floor", YOURS);
}

#[test]
fn warmup_starts_above_zero_and_ends_at_the_peak() {
    check("warmup_starts_above_zero_and_ends_at_the_peak", YOURS);
}

#[test]
fn warmup_and_cosine_share_the_updates() {
    check("warmup_and_cosine_share_the_updates", YOURS);
}

#[test]
fn wsd_warms_up_stays_and_cools_down() {
    check("wsd_warms_up_stays_and_cools_down", YOURS);
}

#[test]
fn inverse_sqrt_leaves_from_the_peak() {
    check("inverse_sqrt_leaves_from_the_peak", YOURS);
}

#[test]
fn schedules_match_pytorch_and_optax() {
    check("schedules_match_pytorch_and_optax", YOURS);
}

#[test]
fn any_settings_and_any_update() {
    check("any_settings_and_any_update", YOURS);
}
