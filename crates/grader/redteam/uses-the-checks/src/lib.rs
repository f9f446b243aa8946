extern crate moments_checks;

pub fn right() -> moments_checks::Step {
    (moments_checks::ex07_adam::EXERCISE.variants[0].start)(todo!())
}
